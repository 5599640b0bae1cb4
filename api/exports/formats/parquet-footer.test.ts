import { parquetMetadata } from "hyparquet"
import { describe, expect, it } from "vitest"
import { renderer } from "../test-render.ts"
import { ParquetFooter } from "./parquet-footer.ts"

const { exporter } = renderer()

/** A file of the store's own, with a row group for each 1000 rows. */
const fileOf = async (rows: number): Promise<Buffer> => {
  const statement =
    "SELECT number, toString(number) AS text, nullIf(number % 3, 0) AS some, number % 2 = 0 AS flag FROM numbers({rows:UInt64}) FORMAT Parquet"
  const settings = { output_format_parquet_row_group_size: "1000" }
  return Buffer.concat(await Array.fromAsync(exporter().stream(statement, { params: { rows }, settings })))
}

const read = (file: Buffer, piece: number, tail?: number): number => {
  const footer = new ParquetFooter(tail)
  for (let at = 0; at < file.length; at += piece) footer.add(file.subarray(at, at + piece))
  return footer.rows()
}

describe("the end of a Parquet file", () => {
  it.each([0, 1, 63, 64, 12_345, 200_000])("says that it has %d rows", async (rows) => {
    const file = await fileOf(rows)
    expect(Number(parquetMetadata(file).num_rows)).toBe(rows)
    for (const piece of [7, 1000, 65_536, file.length]) expect(read(file, piece)).toBe(rows)
  })

  it("is all that is held of it", async () => {
    const file = await fileOf(200_000)
    const footer = file.readUInt32LE(file.length - 8) + 8
    expect(footer).toBeLessThan(file.length / 2)
    expect(read(file, 1000, footer)).toBe(200_000)
    expect(() => read(file, 1000, footer - 2000)).toThrow("longer than what is held")
  })

  it("that is missing is an error", async () => {
    const file = await fileOf(1000)
    expect(() => read(file.subarray(0, -1), 1000)).toThrow("not a whole Parquet file")
    expect(() => read(Buffer.alloc(0), 1000)).toThrow("not a whole Parquet file")
  })
})
