// Just enough of SQL to read our own statements: pieces between quotes and brackets, tables, views.

/** Blanks out comments to the end of a line; a `--` inside of quotes is none. */
export const withoutComments = (sql: string): string =>
  sql.replace(/'(?:[^'\\]|''|\\.)*'|`[^`]*`|--[^\n]*/gu, (token) => (token.startsWith("--") ? "" : token))

/** Splits at commas outside of quotes and brackets. */
export const splitTopLevel = (list: string): ReadonlyArray<string> => {
  const parts: Array<string> = [""]
  let depth = 0
  for (const [token] of list.matchAll(/'(?:[^'\\]|''|\\.)*'|`[^`]*`|[\s\S]/gu)) {
    if (token === "(" || token === "[") depth++
    if (token === ")" || token === "]") depth--
    if (token === "," && depth === 0) parts.push("")
    else parts[parts.length - 1] += token
  }
  return parts.map((part) => part.trim()).filter((part) => part !== "")
}

/** What stands in the first brackets of a text, and what follows them. */
const bracketed = (text: string): { readonly inside: string; readonly rest: string } => {
  const start = text.indexOf("(")
  let depth = 0
  for (const match of text.slice(start).matchAll(/'(?:[^'\\]|''|\\.)*'|`[^`]*`|[()]/gu)) {
    if (match[0] === "(") depth++
    if (match[0] === ")" && --depth === 0)
      return { inside: text.slice(start + 1, start + match.index), rest: text.slice(start + match.index + 1) }
  }
  return { inside: "", rest: text }
}

export interface Column {
  readonly name: string
  readonly type: string
  readonly comment: string | undefined
}

export const columnOf = (definition: string): Column => ({
  name: /^[`"]?(\w+)/u.exec(definition)?.[1] ?? definition,
  type: /^[`"]?\w+[`"]?\s+([\s\S]*?)(?=\s+COMMENT\b|$)/u.exec(definition)?.[1] ?? "",
  comment: /\bCOMMENT\s+'((?:[^'\\]|''|\\.)+)'/u.exec(definition)?.[1],
})

export interface Table {
  readonly name: string
  readonly columns: ReadonlyArray<Column>
  /** Everything after the columns: engine, keys, settings. */
  readonly definition: string
}

const NAME =
  /^CREATE\s+(?:OR\s+REPLACE\s+)?(?:MATERIALIZED\s+)?(?:TABLE|VIEW)\s+(?:IF\s+NOT\s+EXISTS\s+)?([\w.]+)/u

export const tableOf = (statement: string): Table | undefined => {
  if (!/^CREATE\s+TABLE\b/u.test(statement)) return undefined
  const { inside, rest } = bracketed(statement)
  const columns = splitTopLevel(inside).filter((part) => !/^(?:INDEX|CONSTRAINT|PROJECTION)\b/u.test(part))
  return { name: NAME.exec(statement)?.[1] ?? "", columns: columns.map(columnOf), definition: rest.trim() }
}

export interface View {
  readonly name: string
  /** The table that a materialized view fills. */
  readonly target: string | undefined
  /** What it selects: the alias of each expression, undefined where there is none. */
  readonly aliases: ReadonlyArray<string | undefined>
  /** The tables that it reads. */
  readonly sources: ReadonlyArray<string>
  /** The columns that it declares; none when it takes them from what it selects. */
  readonly columns: ReadonlyArray<Column>
  /** What stands between the columns and the query: target, definer, comment. */
  readonly definition: string
}

export const viewOf = (statement: string): View | undefined => {
  if (!/^CREATE\s+(?:OR\s+REPLACE\s+)?(?:MATERIALIZED\s+)?VIEW\b/u.test(statement)) return undefined
  const select = /\bAS\s+SELECT\b([\s\S]*)$/u.exec(statement)?.[1] ?? ""
  const list = select.slice(0, outermost(select, "FROM"))
  const head = statement.slice(0, statement.length - select.length)
  const [begin = ""] = NAME.exec(head) ?? []
  const declared = head.slice(begin.length).trimStart()
  const { inside, rest } = declared.startsWith("(") ? bracketed(declared) : { inside: "", rest: declared }
  return {
    name: NAME.exec(statement)?.[1] ?? "",
    target: /\bTO\s+([\w.]+)/u.exec(rest)?.[1],
    columns: splitTopLevel(inside).map(columnOf),
    definition: rest,
    aliases: splitTopLevel(list).map((part) => /\bAS\s+[`"]?(\w+)[`"]?$/u.exec(part)?.[1]),
    sources: [...select.matchAll(/\b(?:FROM|JOIN)\s+(\w+\.\w+)/gu)].map(([, source = ""]) => source),
  }
}

/** Where a keyword stands outside of quotes and brackets, or the text's length. */
const outermost = (text: string, keyword: string): number => {
  let depth = 0
  for (const match of text.matchAll(/'(?:[^'\\]|''|\\.)*'|`[^`]*`|[()]|\b[A-Z]+\b/gu)) {
    if (match[0] === "(") depth++
    if (match[0] === ")") depth--
    if (match[0] === keyword && depth === 0) return match.index
  }
  return text.length
}
