import type { Format } from "./format.ts"
import { ParquetFooter } from "./parquet-footer.ts"

/** Rows that the store gathers before it writes them: what its memory is bound by. */
const ROW_GROUP = 100_000

/** Columns of text, integers, booleans and milliseconds in UTC; what is not there is null. */
export const parquet: Format = {
  cells: {
    text: (text) => text,
    long: (text) => text,
    absent: "NULL",
    instant: (time) => time,
    count: (number) => `toInt64(${number})`,
    flag: (condition) => `toBool(${condition})`,
  },
  name: "Parquet",
  settings: () => ({
    output_format_parquet_compression_method: "snappy",
    output_format_parquet_row_group_size: ROW_GROUP,
    // Indexes for a database that looks for single rows.
    output_format_parquet_write_bloom_filter: 0,
    output_format_parquet_write_page_index: 0,
  }),
  prefix: Buffer.alloc(0),
  // Rows end in no byte that could be seen; the file tells of all of them at its end.
  rowCounter: () => {
    const footer = new ParquetFooter()
    return {
      in: (chunk) => {
        footer.add(chunk)
        return 0
      },
      atEnd: () => footer.rows(),
    }
  },
}
