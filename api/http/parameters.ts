import { sValidator } from "@hono/standard-validator"
import { Schema } from "effect"
import type { MiddlewareHandler } from "hono"
import { createMiddleware } from "hono/factory"
import type { Env } from "./bridge.ts"
import type { Parameters } from "./endpoint.ts"
import { refuse } from "./failure.ts"

interface Issue {
  readonly message: string
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined
}

const problemOf = ({ path = [], message }: Issue, query: Readonly<Record<string, unknown>>) => {
  const [first] = path
  const parameter = String(typeof first === "object" ? first.key : (first ?? ""))
  const repeated = path.length === 1 && Array.isArray(query[parameter]) && message === "Expected string"
  return { parameter, detail: repeated ? "It can be given once only" : message }
}

/** Refuses every parameter that the route does not have: a filter with a typo would silently widen a report. */
const known = (names: ReadonlySet<string>) =>
  createMiddleware<Env>(async (c, next) => {
    const unknown = [...new Set(new URL(c.req.url).searchParams.keys())].filter((name) => !names.has(name))
    if (unknown.length > 0)
      throw refuse(
        "unknown_parameter",
        `There is no parameter ${unknown
          .slice(0, 5)
          .map((name) => JSON.stringify(name.slice(0, 60)))
          .join(", ")}.`,
        {
          hint: names.size === 0 ? "This call takes none." : `The parameters are ${[...names].join(", ")}.`,
          errors: unknown.slice(0, 20).map((parameter) => ({
            parameter: parameter.slice(0, 60),
            detail: "There is no such parameter",
          })),
        },
      )
    await next()
  })

/** Reads and checks the query; the handler finds the result under `valid("query")`. */
export const parametersOf = <P>(parameters: Parameters<P>): ReadonlyArray<MiddlewareHandler<Env>> => {
  const schema = Schema.toStandardSchemaV1(parameters, { parseOptions: { errors: "all" } })
  const valid: MiddlewareHandler = sValidator("query", schema, (result) => {
    if (result.success) return
    const query = result.data as Readonly<Record<string, unknown>>
    const all = result.error.map((issue: Issue) => problemOf(issue, query))
    // The first of each: what fails one check of a value mostly fails the next one too.
    const errors = [...Map.groupBy(all, ({ parameter }) => parameter).values()].flatMap(
      ([first]) => first ?? [],
    )
    const code = errors.every(({ parameter }) => parameter === "cursor")
      ? "invalid_cursor"
      : "invalid_parameter"
    const detail = errors
      .map((error) => `${error.parameter}: ${error.detail}`)
      .slice(0, 5)
      .join("; ")
    throw refuse(code, `${detail}.`, { errors: errors.slice(0, 20) })
  })
  return [known(new Set(Object.keys(parameters.fields))), valid]
}
