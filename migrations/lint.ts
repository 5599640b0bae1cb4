import type { Migration } from "./migrate.ts"
import { columnOf, splitTopLevel, type Table, tableOf, type View, viewOf, withoutComments } from "./sql.ts"

/** What the store has once all migrations ran, and what is wrong with it or with the way there. */
export interface Linted {
  readonly tables: ReadonlyMap<string, Table>
  readonly views: ReadonlyMap<string, View>
  readonly problems: ReadonlyArray<string>
}

const ALTER = /^ALTER\s+TABLE\s+([\w.]+)\s+([\s\S]*)$/u
const DROP = /^DROP\s+(?:TABLE|VIEW)\s+IF\s+EXISTS\s+([\w.]+)/u

/** Statements, and changes of ALTER, that come to the same end however often they are run. */
const REPEATABLE = [
  /^CREATE\s+(?:MATERIALIZED\s+)?(?:DATABASE|TABLE|VIEW)\s+IF\s+NOT\s+EXISTS\s/u,
  /^CREATE\s+OR\s+REPLACE\s+VIEW\s/u,
  DROP,
  /^ADD\s+(?:COLUMN|INDEX|CONSTRAINT|PROJECTION)\s+IF\s+NOT\s+EXISTS\s/u,
  /^(?:DROP|CLEAR|COMMENT|MODIFY)\s+(?:COLUMN|INDEX|CONSTRAINT|PROJECTION)\s+IF\s+EXISTS\s/u,
  // Not MODIFY QUERY: rows that are inserted meanwhile go through the old query or the new one. Make a new view.
  /^MODIFY\s+(?:TTL|SETTING|COMMENT|ORDER\s+BY)\s/u,
  /^MATERIALIZE\s+(?:INDEX|COLUMN|PROJECTION|TTL)\s/u,
]

const unrepeatable = (statement: string): ReadonlyArray<string> => {
  const changes = ALTER.exec(statement)?.[2]
  return (changes === undefined ? [statement] : splitTopLevel(changes))
    .filter((part) => !REPEATABLE.some((form) => form.test(part)))
    .map((part) => `cannot be run twice: ${part.slice(0, 60).replaceAll(/\s+/gu, " ")}`)
}

const altered = (table: Table, changes: ReadonlyArray<string>): Table => {
  const columns = new Map(table.columns.map((column) => [column.name, column]))
  for (const change of changes) {
    const [, verb, definition = ""] =
      /^(ADD|DROP)\s+COLUMN\s+IF\s+(?:NOT\s+)?EXISTS\s+([\s\S]*)$/u.exec(change) ?? []
    const column = columnOf(definition)
    if (verb === "ADD") columns.set(column.name, column)
    if (verb === "DROP") columns.delete(column.name)
  }
  return { ...table, columns: [...columns.values()] }
}

/** A store that the statements are applied to one by one. */
class Store {
  readonly tables = new Map<string, Table>()
  readonly views = new Map<string, View>()

  has(name: string): boolean {
    return this.tables.has(name) || this.views.has(name)
  }

  apply(statement: string): ReadonlyArray<string> {
    const table = tableOf(statement)
    if (table !== undefined) this.tables.set(table.name, table)
    const view = viewOf(statement)
    if (view !== undefined) this.views.set(view.name, view)
    const dropped = DROP.exec(statement)?.[1] ?? ""
    this.tables.delete(dropped)
    this.views.delete(dropped)
    const [, name = "", changes = ""] = ALTER.exec(statement) ?? []
    const before = this.tables.get(name)
    if (before !== undefined) this.tables.set(name, altered(before, splitTopLevel(changes)))
    const used = [...(view?.sources ?? []), view?.target ?? "", name].filter((object) => object !== "")
    return used
      .filter((object) => !this.has(object))
      .map((object) => `nothing creates ${object} before it is used`)
  }
}

const uncommented = ({ name, columns }: Table): ReadonlyArray<string> =>
  columns
    .filter(({ comment }) => comment === undefined)
    .map((column) => `${name}.${column.name} has no COMMENT`)

/** The window counts blocks and forgets; a repeat is told by the rows themselves. */
const windowless = ({ name, definition }: Table): ReadonlyArray<string> => {
  if (!/ENGINE\s*=\s*\w*MergeTree\b/u.test(definition)) return []
  const replicated = /ENGINE\s*=\s*Replicated/u.test(definition)
  const setting = `${replicated ? "" : "non_"}replicated_deduplication_window`
  const isSet = new RegExp(`(?<!\\w)${setting}\\s*=\\s*\\d+`, "u").test(definition)
  return isSet ? [] : [`${name} does not set ${setting}`]
}

/** A view fills its table by name, and a column that it leaves out silently becomes a default. */
const unmapped = (view: View, target: Table | undefined): ReadonlyArray<string> => {
  const unnamed = view.aliases.flatMap((alias, index) =>
    alias === undefined ? [`${view.name} gives no alias to expression ${index + 1}`] : [],
  )
  if (view.target === undefined) return unnamed
  if (target === undefined) return [`${view.name} fills ${view.target}, which does not exist`]
  const columns = new Set<string | undefined>(target.columns.map(({ name }) => name))
  const aliases = new Set(view.aliases)
  return [
    ...unnamed,
    ...[...columns]
      .filter((name) => !aliases.has(name))
      .map((name) => `${view.name} does not fill ${target.name}.${name}`),
    ...[...aliases]
      .filter((name) => name !== undefined && !columns.has(name))
      .map((name) => `${view.name} selects ${name}, which ${target.name} lacks`),
  ]
}

/** Types that drivers and tools of others know. */
const ORDINARY =
  /^(?:Nullable\()?(?:String|Bool|Date|DateTime64\(3, 'UTC'\)|U?Int(?:8|16|32|64)|Float64)\)?$/u

/**
 * A view that people read: it declares its columns, of ordinary types and each with a comment, and reads as the one user
 * whose row policies tell tenants apart. Without DEFINER it would need rights to the tables themselves.
 */
const unreadable = ({ name, target, columns, aliases, definition }: View): ReadonlyArray<string> => {
  if (target !== undefined) return []
  const declared = columns.map((column) => column.name)
  return [
    ...columns
      .filter(({ comment }) => comment === undefined)
      .map((column) => `${name}.${column.name} has no COMMENT`),
    ...columns
      .filter(({ type }) => !ORDINARY.test(type))
      .map((column) => `${name}.${column.name} is of type ${column.type}, which not every tool reads`),
    ...(/\bCOMMENT\s+'(?:[^'\\]|'')+'/u.test(definition) ? [] : [`${name} has no COMMENT`]),
    ...(/\bDEFINER\s*=\s*tidemark_bi\s+SQL\s+SECURITY\s+DEFINER\b/u.test(definition)
      ? []
      : [`${name} does not run as tidemark_bi`]),
    ...(declared.join() === aliases.join() ? [] : [`${name} declares other columns than it selects`]),
  ]
}

/** Reads the migrations as the store would, and names what could not be run twice or fills a table wrongly. */
export const lint = (migrations: ReadonlyArray<Pick<Migration, "name" | "statements">>): Linted => {
  const store = new Store()
  const statements = migrations.flatMap(({ name, statements: all }) =>
    all.map((statement) => ({ name, statement: withoutComments(statement).trim() })),
  )
  return {
    problems: [
      ...statements.flatMap(({ name, statement }) =>
        [...unrepeatable(statement), ...store.apply(statement)].map((problem) => `${name}: ${problem}`),
      ),
      ...[...store.tables.values()].flatMap((table) => [...uncommented(table), ...windowless(table)]),
      ...[...store.views.values()].flatMap((view) => [
        ...unmapped(view, store.tables.get(view.target ?? "")),
        ...unreadable(view),
      ]),
    ],
    tables: store.tables,
    views: store.views,
  }
}
