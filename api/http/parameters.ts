import { Effect } from "effect"
import type { Context } from "hono"
import type { Env } from "./bridge.ts"
import { type Endpoint, type Parameters, pathParameters } from "./endpoint.ts"
import { type Refused, refuse } from "./failure.ts"
import { decoder } from "./decode.ts"
import { hintOf, inShort, type Invalid } from "./invalid.ts"

type Given = Readonly<Record<string, string | ReadonlyArray<string>>>

/** Refuses every parameter that the route does not have: a filter with a typo would silently widen a report. */
const refuseUnknown = (unknown: ReadonlyArray<string>, names: ReadonlyArray<string>): Refused =>
  refuse(
    "unknown_parameter",
    `There is no parameter ${unknown
      .slice(0, 5)
      .map((name) => JSON.stringify(name.slice(0, 60)))
      .join(", ")}.`,
    {
      hint: names.length === 0 ? "This call takes none." : `The parameters are ${names.join(", ")}.`,
      errors: unknown.slice(0, 20).map((parameter) => ({
        parameter: parameter.slice(0, 60),
        detail: "There is no such parameter",
      })),
    },
  )

/** One value for a parameter that takes one was given several times. */
const isRepeated = ({ place, detail, names }: Invalid, given: Given): boolean =>
  place.length === 1 &&
  Array.isArray(given[place[0] ?? ""]) &&
  (names !== undefined || detail === "Expected string")

const refuseInvalid = (invalid: ReadonlyArray<Invalid>, given: Given): Refused => {
  const wrong = invalid.map((one): Invalid => {
    const detail = "It can be given once only"
    return isRepeated(one, given) ? { place: one.place, detail, short: detail } : one
  })
  const code = wrong.every(({ place }) => place[0] === "cursor") ? "invalid_cursor" : "invalid_parameter"
  return refuse(
    code,
    inShort(wrong, ([parameter = ""]) => parameter),
    {
      ...hintOf(wrong),
      errors: wrong.slice(0, 20).map(({ place: [parameter = ""], detail }) => ({ parameter, detail })),
    },
  )
}

/** Reads and checks the parameters of a request, from its path and its query. */
export const parametersOf = <P>({ path }: Endpoint<P, unknown>, parameters: Parameters<P>) => {
  const inPath = new Set(pathParameters(path))
  const names = Object.keys(parameters.fields).filter((name) => !inPath.has(name))
  const decode = decoder(parameters)
  return (c: Context<Env>): Effect.Effect<P, Refused> => {
    const query = [...Map.groupBy(new URL(c.req.url).searchParams, ([name]) => name)].map(
      ([name, pairs]) => [name, pairs.map(([, value]) => value)] as const,
    )
    const unknown = query.flatMap(([name]) => (names.includes(name) ? [] : [name]))
    if (unknown.length > 0) return Effect.fail(refuseUnknown(unknown, names))
    const given: Given = {
      ...Object.fromEntries(
        query.map(([name, values]) => [name, values.length === 1 ? (values[0] ?? "") : values]),
      ),
      ...c.req.param(),
    }
    const decoded = decode(given)
    return decoded.ok ? Effect.succeed(decoded.value) : Effect.fail(refuseInvalid(decoded.invalid, given))
  }
}
