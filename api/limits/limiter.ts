import { Clock, Effect, Metric } from "effect"
import type { ProblemCode } from "#schemas/problem.ts"
import type { Credential } from "../auth/credential.ts"
import type { Right } from "../auth/rights.ts"
import { type Refused, refuse } from "../http/failure.ts"
import { type Exceeded, type Limit, type PerSecond, Rates } from "./rates.ts"
import { Turnstile } from "./turnstile.ts"

export interface LimitOptions {
  readonly perSecond: PerSecond
  /** Queries of one tenant that run at once. */
  readonly queriesAtOnce: number
  /** How long a further one waits for its turn. Milliseconds. */
  readonly queryWait: number
}

/** Above what the API's own producers and dashboards reach: they stop what runs wild. */
export const DEFAULT_LIMITS: LimitOptions = {
  perSecond: { query_rate: 1000, ingest_events: 50_000, ingest_bytes: 64 * 1024 * 1024 },
  queriesAtOnce: 16,
  queryWait: 2000,
}

/** Which limits a call is under, by what it may do. */
const limitsOf = (right: Right): ReadonlyArray<Limit> =>
  right === "send_actions" || right === "send_directory" ? ["ingest_events", "ingest_bytes"] : ["query_rate"]

/** Calls that ask the store; the catalogue and the administration do not. */
const asksStore = (right: Right): boolean => right.startsWith("see_") && right !== "see_catalog"

const WHAT: Readonly<Record<Limit, { readonly code: ProblemCode; readonly what: string }>> = {
  query_rate: { code: "query_rate_limited", what: "requests" },
  ingest_events: { code: "ingest_events_limited", what: "events" },
  ingest_bytes: { code: "ingest_bytes_limited", what: "bytes of events" },
}

/** What a call of this right can be refused for, for the specification. */
export const limitCodes = (right: Right): ReadonlyArray<ProblemCode> =>
  limitsOf(right).map((limit) => WHAT[limit].code)

const seconds = (milliseconds: number): string => String(Math.max(1, Math.ceil(milliseconds / 1000)))

const limited = ({ limit, perSecond, delay }: Exceeded): Refused => {
  const { code, what } = WHAT[limit]
  return refuse(
    code,
    `This key may send ${perSecond} ${what} a second, and did.`,
    { hint: "Send it again after the seconds of Retry-After." },
    { "Retry-After": seconds(delay) },
  )
}

const refusals = Metric.counter("api_limited_total", {
  description: "Requests refused because of a limit, by its problem code",
  incremental: true,
})
const running = Metric.gauge("api_queries_running", { description: "Queries at the store now" })
const waiting = Metric.gauge("api_queries_waiting", { description: "Queries that wait for their turn" })

const counted = (refused: Refused) =>
  Effect.andThen(
    Metric.update(Metric.withAttributes(refusals, { code: refused.code }), 1),
    Effect.fail(refused),
  )

export interface Limiter {
  /** Fails when the key has used up a limit of such calls; otherwise counts the call. */
  readonly admit: (credential: Credential, right: Right) => Effect.Effect<void, Refused>
  /** What a call of ingestion cost, known when its body has been read. */
  readonly spend: (credential: Credential, events: number, bytes: number) => Effect.Effect<void>
  /** Runs what asks the store when it is the tenant's turn, and gives up when that takes too long. */
  readonly inTurn: <A, E, R>(
    credential: Credential,
    right: Right,
    query: Effect.Effect<A, E, R>,
  ) => Effect.Effect<A, E | Refused, R>
}

/** Keys are told apart within their tenant. */
const keyOf = ({ tenant = "", id }: Credential): string => `${tenant} ${id}`

export const makeLimiter = ({ perSecond, queriesAtOnce, queryWait }: LimitOptions): Limiter => {
  const rates = new Rates(perSecond)
  const turnstile = new Turnstile(queriesAtOnce)
  const measure = Effect.suspend(() => {
    const now = turnstile.count()
    return Effect.andThen(Metric.update(running, now.inside), Metric.update(waiting, now.waiting))
  })

  const admit: Limiter["admit"] = Effect.fnUntraced(function* (credential, right) {
    const now = yield* Clock.currentTimeMillis
    const limits = limitsOf(right)
    const exceeded = rates.exceeded(keyOf(credential), limits, now)
    if (exceeded !== undefined) return yield* counted(limited(exceeded))
    if (limits.includes("query_rate")) rates.spend(keyOf(credential), "query_rate", 1, now)
  })

  const spend: Limiter["spend"] = Effect.fnUntraced(function* (credential, events, bytes) {
    const now = yield* Clock.currentTimeMillis
    rates.spend(keyOf(credential), "ingest_events", events, now)
    rates.spend(keyOf(credential), "ingest_bytes", bytes, now)
  })

  const BUSY = refuse(
    "overloaded",
    `${queriesAtOnce} queries of this tenant are running, and none ended within ${queryWait} ms.`,
    { hint: "Ask for less at once." },
    { "Retry-After": seconds(queryWait) },
  )

  /** A place in the tenant's line, with what is to be told when its turn has come. */
  const join = (tenant: string) =>
    Effect.sync(() => {
      let isIn = false
      let called: () => void = () => undefined
      const leave = turnstile.join(tenant, () => {
        isIn = true
        called()
      })
      const turn = Effect.callback<void>((resume) => {
        called = () => resume(Effect.void)
        if (isIn) called()
      })
      return { turn, leave }
    })

  const inTurn: Limiter["inTurn"] = (credential, right, query) =>
    !asksStore(right)
      ? query
      : Effect.acquireUseRelease(
          join(credential.tenant ?? ""),
          ({ turn }) =>
            measure.pipe(
              Effect.andThen(turn),
              Effect.timeoutOrElse({ duration: queryWait, orElse: () => counted(BUSY) }),
              Effect.andThen(query),
            ),
          ({ leave }) => Effect.andThen(Effect.sync(leave), measure),
        )

  return { admit, spend, inTurn }
}
