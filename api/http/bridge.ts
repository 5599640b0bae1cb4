import type { ClickHouse } from "#clickhouse"
import { Cause, type Context, Effect, Exit, Option } from "effect"
import type { Context as HonoContext } from "hono"
import type { Nats } from "#nats/connection.ts"
import { type Failure, INTERNAL, Late, refusalOf } from "./failure.ts"

/** What the services are to the API: the one place where Effect's context meets a request. */
export type Services = Context.Context<ClickHouse | Nats>

export interface Env {
  Variables: {
    requestId: string
    /** The pattern of the route that answers, for the metrics. */
    route: string
  }
}

/** Longer than the store lets a report run, shorter than proxies wait. */
const PATIENCE = "25 seconds"

const logged = (error: unknown, c: HonoContext<Env>) =>
  Effect.logError("request failed", error).pipe(
    Effect.annotateLogs({ request_id: c.get("requestId"), method: c.req.method, route: c.get("route") }),
  )

/**
 * Runs the effects of a request. The fiber is interrupted when the client goes away or the patience ends, which
 * cancels the query on the server. A failure is thrown as the refusal that the client may see.
 */
export const bridge =
  (services: Services) =>
  async <A>(c: HonoContext<Env>, effect: Effect.Effect<A, Failure, ClickHouse | Nats>): Promise<A> => {
    const run = Effect.runPromiseExitWith(services)
    const patient = effect.pipe(
      Effect.timeoutOrElse({ duration: PATIENCE, orElse: () => Effect.fail(new Late()) }),
    )
    const exit = await run(patient, { signal: c.req.raw.signal })
    if (Exit.isSuccess(exit)) return exit.value
    const failure = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
    const refused = failure === undefined ? INTERNAL : refusalOf(failure)
    if (refused.code === "internal" && !c.req.raw.signal.aborted) await run(logged(failure ?? exit.cause, c))
    throw refused
  }

/** Logs what was thrown beside the effects: a bug. */
export const logDefect = (services: Services, error: unknown, c: HonoContext<Env>): void => {
  Effect.runForkWith(services)(logged(error, c))
}
