import { type SchemaAST, SchemaIssue } from "effect"
import { noSuchName, whereListed } from "./closed-list.ts"

/** What is wrong, and where: the names of fields from the outside in. */
export interface Invalid {
  readonly place: ReadonlyArray<string>
  readonly detail: string
  /** The same without the names of a closed list. */
  readonly short: string
  /** The names of the closed list that has no such name. */
  readonly names?: ReadonlyArray<string>
}

type Leaf = Exclude<SchemaIssue.Issue, SchemaIssue.Pointer | SchemaIssue.Composite | SchemaIssue.Encoding>

const byDefault = SchemaIssue.makeFormatterStandardSchemaV1()

/** The names that a value can be: of one, or of each in a list. */
const namesOf = (ast: SchemaAST.AST): ReadonlyArray<string> => {
  if (ast._tag === "Literal") return [String(ast.literal)]
  return ast._tag === "Union" ? ast.types.flatMap(namesOf) : []
}

/** The value at a place of what was given. */
const valueAt = (given: unknown, place: ReadonlyArray<string>): unknown =>
  place.reduce<unknown>(
    (value, step) =>
      typeof value === "object" && value !== null
        ? (value as Readonly<Record<string, unknown>>)[step]
        : value,
    given,
  )

const ofNames = (
  place: ReadonlyArray<string>,
  detail: string,
  value: unknown,
  names: ReadonlyArray<string>,
): Invalid => ({
  place,
  detail: `${detail} ${names.join(", ")}`,
  short: typeof value === "string" ? noSuchName(value, names) : "There is no such value",
  names,
})

/** An issue in words. Its own say what the code calls things. */
const worded = (issue: Leaf, place: ReadonlyArray<string>, given: unknown): ReadonlyArray<Invalid> => {
  const says = (detail: string) => [{ place, detail, short: detail }]
  if (issue._tag === "MissingKey") return says("It is required")
  if (issue._tag === "UnexpectedKey" && issue.ast._tag === "Objects") {
    const fields = issue.ast.propertySignatures.map(({ name }) => String(name))
    return [ofNames(place, "There is no such field; there are", place.at(-1) ?? "", fields)]
  }
  if (issue._tag === "AnyOf" || issue._tag === "InvalidType") {
    const names = namesOf(issue.ast)
    const ownWords = issue.ast.annotations?.["message"]
    if (names.length > 0 && ownWords === undefined)
      return [ofNames(place, "Expected one of", valueAt(given, place), names)]
    if (issue.ast._tag === "Objects") return says("Expected an object")
  }
  return byDefault(issue).issues.map(({ path = [], message }) => ({
    place: [...place, ...path.map((step) => String(typeof step === "object" ? step.key : step))],
    detail: message,
    short: message,
  }))
}

/** Everything that an issue says, part by part. */
export const invalidIn = (
  issue: SchemaIssue.Issue,
  given: unknown,
  place: ReadonlyArray<string> = [],
): ReadonlyArray<Invalid> => {
  if (issue._tag === "Pointer") return invalidIn(issue.issue, given, [...place, ...issue.path.map(String)])
  if (issue._tag === "Encoding") return invalidIn(issue.issue, given, place)
  if (issue._tag === "Composite" || (issue._tag === "AnyOf" && issue.issues.length > 0))
    return issue.issues.flatMap((part) => invalidIn(part, given, place))
  return worded(issue, place, given)
}

/** The first few in one line. */
export const inShort = (
  invalid: ReadonlyArray<Invalid>,
  placeOf: (place: ReadonlyArray<string>) => string,
): string =>
  invalid
    .slice(0, 5)
    .map(({ place, short }) => `${placeOf(place)}: ${short}`)
    .join("; ")
    .replace(/[^?]$/u, "$&.")

/** Where the names are that could be meant, when closed lists have no such name. */
export const hintOf = (invalid: ReadonlyArray<Invalid>): { readonly hint?: string } => {
  const lists = invalid.flatMap(({ names }) => (names === undefined ? [] : [names]))
  return lists.length === 0 ? {} : { hint: whereListed(lists) }
}
