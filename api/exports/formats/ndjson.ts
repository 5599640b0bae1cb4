import { utcTimeOf } from "../../queries/export-clock.ts"
import type { Format } from "./format.ts"
import { lineRows, rowsByTemplate } from "./lines.ts"

/** One JSON object a line; what is not there is null. */
export const ndjson: Format = {
  cells: {
    text: (text) => `toJSONString(${text})`,
    long: (text) => `toJSONString(${text})`,
    absent: "'null'",
    instant: (time) => `ifNull(concat('"', ${utcTimeOf(time)}, '"'), 'null')`,
    count: (number) => `toString(${number})`,
    flag: (condition) => `if(${condition}, 'true', 'false')`,
  },
  name: "Template",
  settings: (names) => ({
    ...rowsByTemplate(`{${names.map((name) => `"${name}":\${${name}:Raw}`).join(",")}}\n`),
    output_format_json_escape_forward_slashes: 0,
  }),
  prefix: Buffer.alloc(0),
  rowCounter: lineRows,
}
