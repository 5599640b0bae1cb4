import { Effect } from "effect"
import type { Context, Hono } from "hono"
import type { Authenticate } from "../auth/authenticate.ts"
import type { Credential } from "../auth/credential.ts"
import type { Right } from "../auth/rights.ts"
import { respond, respondTagged } from "./answer.ts"
import { bridge, type Env, logDefect, type Services } from "./bridge.ts"
import type { Call, Route } from "./endpoint.ts"
import { INTERNAL, problemOf, Refused, refuse } from "./failure.ts"
import { jsonBodyOf } from "./json-body.ts"
import { parametersOf } from "./parameters.ts"

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

/** Every use of the operator's key is on record. */
const audited = (c: Context<Env>) =>
  Effect.logInfo("operator's key used").pipe(
    Effect.annotateLogs({ request_id: c.get("requestId"), method: c.req.method, route: c.get("route") }),
  )

/** Puts a route into the app: who may, with which parameters, and what then. */
export const mount = (
  app: Hono<Env>,
  { endpoint, handle }: Route,
  services: Services,
  authenticate: Authenticate,
): void => {
  const run = bridge(services)
  const { method, path, right, parameters, json } = endpoint
  const readParameters = parameters === undefined ? undefined : parametersOf(endpoint, parameters)
  const readJson = json === undefined ? undefined : jsonBodyOf(json)
  const authorize = async (c: Context<Env>, needed: Right): Promise<Credential> => {
    const credential = await run(c, authenticate(c.req.header("Authorization"), needed))
    if (credential.role === "operator") await run(c, audited(c))
    return credential
  }
  app.on(method, [path], async (c: Context<Env>) => {
    c.set("route", path)
    // A route without a right looks at nobody's credential.
    const credential = (right === undefined ? undefined : await authorize(c, right)) as Credential
    const call = {
      parameters: readParameters?.(c) as never,
      body: (readJson === undefined ? undefined : await run(c, readJson(c.req.raw))) as never,
      credential,
      requestId: c.get("requestId"),
      request: c.req.raw,
    } satisfies Call<never, never>
    const answer = await run(c, handle(call))
    return method === "GET" && right !== undefined ? respondTagged(c, answer) : respond(c, answer)
  })
}
