import { Effect, Schema } from "effect"
import type { Context, Hono } from "hono"
import { onRecord } from "../audit/on-record.ts"
import type { Limiter } from "../limits/limiter.ts"
import { type Authenticate, permit } from "../auth/authenticate.ts"
import type { Credential } from "../auth/credential.ts"
import { respond, respondTagged } from "./answer.ts"
import { bridge, type Env, logDefect, type Services } from "./bridge.ts"
import type { Call, Route } from "./endpoint.ts"
import { INTERNAL, problemOf, Refused, refuse } from "./failure.ts"
import { jsonBodyOf } from "./json-body.ts"
import { parametersOf } from "./parameters.ts"
import { asSpan } from "./span.ts"

/** The refusal as problem details. */
const problem = (c: Context<Env>, refused: Refused): Response => {
  const body = problemOf(refused, c.get("requestId"))
  return respond(c, { status: body.status, body, headers: refused.headers ?? {} }, "application/problem+json")
}

/** What was thrown on the way, as a problem: a refusal as it is, anything else as an INTERNAL error. */
export const onError =
  (services: Services) =>
  (error: unknown, c: Context<Env>): Response => {
    if (error instanceof Refused) return problem(c, error)
    logDefect(services, error, c)
    return problem(c, INTERNAL)
  }

export const onNotFound = (c: Context<Env>): Response =>
  problem(
    c,
    refuse("not_found", "There is nothing at this address.", { hint: "/openapi.json lists what there is." }),
  )

export const onMethodNotAllowed = (c: Context<Env>, methods: ReadonlyArray<string>): Response =>
  problem(
    c,
    refuse(
      "method_not_allowed",
      `The address does not answer to this method.`,
      {},
      { Allow: methods.join(", ") },
    ),
  )

const NONE = Schema.Struct({})

/** Puts a route into the app: who may, with which parameters, and what then. */
export const mount = (
  app: Hono<Env>,
  { endpoint, handle }: Route,
  services: Services,
  authenticate: Authenticate,
  limiter: Limiter,
): void => {
  const run = bridge(services)
  const { method, path, right, audit, json } = endpoint
  // A route of a tenant's that names no parameters has none, and says so.
  const parameters = endpoint.parameters ?? (right === undefined ? undefined : NONE)
  const readParameters = parameters === undefined ? undefined : parametersOf(endpoint, parameters)
  const readJson = json === undefined ? undefined : jsonBodyOf(json)

  /** Reads and answers a call. A route without a right looks at nobody's credential. */
  const answered = Effect.fnUntraced(function* (
    c: Context<Env>,
    credential: Credential | undefined,
    understood: (part: object) => void,
  ) {
    if (credential !== undefined && right !== undefined) yield* permit(credential, right)
    const given = readParameters === undefined ? undefined : yield* readParameters(c)
    understood(given ?? {})
    const body = readJson === undefined ? undefined : yield* readJson(c.req.raw)
    understood(body ?? {})
    const call = {
      parameters: given as never,
      body: body as never,
      credential: credential as Credential,
      requestId: c.get("requestId"),
      request: c.req.raw,
    } satisfies Call<never, never>
    const answer = handle(call)
    return yield* credential === undefined || right === undefined
      ? answer
      : limiter.inTurn(credential, right, answer)
  })

  const authorized = Effect.fnUntraced(function* (c: Context<Env>) {
    const credential = yield* authenticate(c.req.header("Authorization"))
    // Before it is put on record: who floods the API does not flood the audit log.
    if (right !== undefined) yield* limiter.admit(credential, right)
    let filters = {}
    const answer = answered(c, credential, (part) => {
      filters = { ...filters, ...part }
    })
    const action = audit ?? (credential.role === "operator" ? "operator.used" : undefined)
    if (action === undefined) return yield* answer
    const requestId = c.get("requestId")
    const call = { credential, action, method, route: path, requestId, filters: () => filters }
    return yield* onRecord(call, answer)
  })

  const span = (c: Context<Env>) => asSpan({ method, route: path, traceparent: c.req.header("traceparent") })

  app.on(method, [path], async (c: Context<Env>) => {
    c.set("route", path)
    if (right === undefined)
      return respond(c, await run(c, answered(c, undefined, () => undefined).pipe(span(c))))
    const answer = await run(c, authorized(c).pipe(span(c)))
    return method === "GET" ? respondTagged(c, answer) : respond(c, answer)
  })
}
