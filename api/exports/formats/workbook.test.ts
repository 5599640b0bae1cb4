// Workbooks: rows beyond a sheet, cells beyond a cell, and archives that other programs open.
import { describe, expect, it } from "vitest"
import { newTenant, testApp } from "../../test-app.ts"
import { putLicenses, putTeams, putTenant, putUsers } from "../../test-rows.ts"
import { readNdjson, readSheets, readXlsx, renderer, snapshotOf } from "../test-render.ts"
import { workbookOf } from "./workbook.ts"

testApp()
const { file } = renderer()

const lines = (count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, n) => `<row><c><v>${n}</v></c></row>\n`)

/** In pieces of a size that has nothing to do with lines. */
async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const workbook = async (count: number, size: number, limits: { rows: number; bytes: number }) =>
  Buffer.concat(await Array.fromAsync(workbookOf(["n"], pieces(lines(count).join(""), size), limits)))

describe("rows beyond a sheet", () => {
  it.each([
    [0, [0]],
    [1, [1]],
    [9, [9]],
    [10, [9, 1]],
    [18, [9, 9]],
    [20, [9, 9, 2]],
  ])("%i of them go to further sheets, with headings on each", async (count, expected) => {
    for (const size of [1, 7, 29, 1000]) {
      const sheets = readSheets(await workbook(count, size, { rows: 10, bytes: 1e9 }))
      expect(sheets.map((rows) => rows.length)).toEqual(expected)
      expect(sheets.flat().map(({ n }) => n)).toEqual(Array.from({ length: count }, (_, n) => n))
    }
  })

  it("that are too long for a file of an archive do, too", async () => {
    const sheets = readSheets(await workbook(10, 11, { rows: 1000, bytes: 60 }))
    expect(sheets.map((rows) => rows.length)).toEqual([3, 3, 3, 1])
  })

  it("come out the same whatever pieces they come in", async () => {
    const limits = { rows: 500, bytes: 1e9 }
    const [one, other] = [await workbook(3000, 17, limits), await workbook(3000, 65_536, limits)]
    expect(one.equals(other)).toBe(true)
  })
})

describe("a cell", () => {
  it("holds 32,767 characters as a spreadsheet counts them, and says where more was cut off", async () => {
    const tenant = newTenant()
    await putTenant(tenant, "UTC")
    const teams = (count: number, name: string) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`${name}${n}`, { name: name.repeat(450) }]))
    await putTeams(tenant, { ...teams(80, "x"), ...teams(80, "🦊"), fits: { name: "y".repeat(32_767) } })
    await putUsers(tenant, {
      latin: { team_ids: Object.keys(teams(80, "x")) },
      astral: { team_ids: Object.keys(teams(80, "🦊")) },
      fits: { team_ids: ["fits"] },
    })
    await putLicenses(
      tenant,
      ["latin", "astral", "fits"].map((user_id) => ({
        user_id,
        verb: "assigned" as const,
        time: "2026-01-01T00:00:00.000Z",
      })),
    )
    const snapshot = snapshotOf(tenant, { from: "2026-10-01", to: "2026-10-31", zone: "UTC" })
    const cells = async (format: "xlsx" | "ndjson", read: typeof readNdjson) =>
      Object.fromEntries(
        read((await file({ report: "user_insights", format }, snapshot)).bytes).map((row) => [
          row["user_id"],
          String(row["teams"]),
        ]),
      )
    const whole = await cells("ndjson", readNdjson)
    const cut = await cells("xlsx", readXlsx)
    expect(whole["latin"]).toHaveLength(80 * 450 + 79 * 2)
    expect(cut["latin"]).toBe(`${whole["latin"]?.slice(0, 32_766)}…`)
    expect(cut["astral"]).toMatch(/^[🦊; ]+…$/u)
    expect(cut["astral"]?.length).toBeLessThanOrEqual(32_767)
    expect(cut["fits"]).toBe(whole["fits"])
  })
})
