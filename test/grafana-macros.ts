// What Grafana and its ClickHouse plugin (4.x) make of a query before the server sees it, as their documentation says:
// $__conditionalAll and variables in the browser, the other macros in the plugin's backend.

export interface Asked {
  readonly from: Date
  readonly to: Date
  /** Seconds between two points. */
  readonly interval: number
  /** Values that are chosen; "all" stands for every one. */
  readonly variables: Readonly<Record<string, "all" | ReadonlyArray<string>>>
}

/** The arguments in the brackets that open at an index, and where they close. */
const argumentsAt = (
  sql: string,
  open: number,
): { readonly args: ReadonlyArray<string>; readonly end: number } => {
  const args = [""]
  let depth = 0
  for (let at = open; at < sql.length; at++) {
    const character = sql[at] ?? ""
    if (character === "(" && depth++ === 0) continue
    if (character === ")" && --depth === 0) return { args: args.map((arg) => arg.trim()), end: at + 1 }
    if (character === "," && depth === 1) args.push("")
    else args[args.length - 1] += character
  }
  throw new Error("a bracket is not closed")
}

const conditionalAll = (sql: string, { variables }: Asked): string => {
  const macro = "$__conditionalAll"
  const start = sql.indexOf(macro)
  if (start === -1) return sql
  const { args, end } = argumentsAt(sql, start + macro.length)
  const [condition = "", variable = ""] = args
  const chosen = variables[variable.replace("$", "")]
  if (args.length !== 2 || chosen === undefined) throw new Error(`cannot expand ${sql.slice(start, end)}`)
  const phrase = chosen === "all" ? "1=1" : condition
  return conditionalAll(sql.slice(0, start) + phrase + sql.slice(end), { variables } as Asked)
}

const singleQuoted = (value: string): string => `'${value.replaceAll("'", "\\'")}'`

const interpolated = (sql: string, { variables }: Asked): string =>
  sql.replaceAll(/\$\{(\w+):singlequote\}|\$(?!__)(\w+)/gu, (whole, quoted?: string, plain?: string) => {
    const chosen = variables[quoted ?? plain ?? ""]
    if (chosen === undefined || chosen === "all") throw new Error(`cannot fill in ${whole}`)
    return quoted === undefined ? chosen.join(",") : chosen.map(singleQuoted).join(",")
  })

const seconds = (date: Date): string => `toDateTime(${Math.floor(date.getTime() / 1000)})`
const milliseconds = (date: Date): string => `fromUnixTimestamp64Milli(${date.getTime()})`
const day = (date: Date): string => `toDate('${date.toISOString().slice(0, 10)}')`
const between = (column: string, { from, to }: Asked, written: (date: Date) => string): string =>
  `${column} >= ${written(from)} AND ${column} <= ${written(to)}`

type Macro = (args: ReadonlyArray<string>, asked: Asked) => string

const MACROS: Readonly<Record<string, Macro>> = {
  fromTime: (_, { from }) => seconds(from),
  toTime: (_, { to }) => seconds(to),
  fromTime_ms: (_, { from }) => milliseconds(from),
  toTime_ms: (_, { to }) => milliseconds(to),
  timeFilter: ([column = ""], asked) => between(column, asked, seconds),
  timeFilter_ms: ([column = ""], asked) => between(column, asked, milliseconds),
  dateFilter: ([column = ""], asked) => between(column, asked, day),
  dateTimeFilter: ([date = "", time = ""], asked) =>
    `(${between(date, asked, day)}) AND (${between(time, asked, seconds)})`,
  timeInterval: ([column = ""], { interval }) =>
    `toStartOfInterval(toDateTime(${column}), INTERVAL ${Math.max(1, Math.trunc(interval))} second)`,
  timeInterval_ms: ([column = ""], { interval }) =>
    `toStartOfInterval(toDateTime64(${column}, 3), INTERVAL ${Math.max(1, interval * 1000)} millisecond)`,
  interval_s: (_, { interval }) => String(Math.max(1, Math.trunc(interval))),
}

const macros = (sql: string, asked: Asked): string => {
  const found = /\$__(\w+)/u.exec(sql)
  if (found === null) return sql
  const [whole, name = ""] = found
  const macro = MACROS[name]
  if (macro === undefined) throw new Error(`the plugin has no macro ${whole}`)
  const after = found.index + whole.length
  const { args, end } = sql[after] === "(" ? argumentsAt(sql, after) : { args: [], end: after }
  return macros(sql.slice(0, found.index) + macro(args, asked) + sql.slice(end), asked)
}

/** The query as the server gets it. Throws on a macro or variable that there is not. */
export const expand = (sql: string, asked: Asked): string =>
  macros(interpolated(conditionalAll(sql, asked), asked), asked)
