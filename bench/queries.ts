import { Agent, request } from "node:http"
import { Effect, Schedule } from "effect"
import { createKey } from "../api/auth/keys.ts"
import { putQueryWorld, type QueryWorld } from "./query-world.ts"
import { makeStack } from "./stack.ts"

const CALLERS = 8
/** Questions asked for the first time, each once. */
const FIRST = 240
/** Questions of a dashboard, asked again and again. */
const QUESTIONS = 24
const AGAIN = 2000
const DAY = 86_400_000

const CALLS = {
  summary: "user-insights/summary?",
  users: "user-insights/users?limit=50&",
  timeseries: "user-insights/timeseries?metric=active_users&metric=contacts_created&",
  "client-engagement": "client-engagement?limit=50&",
} as const

interface Target {
  readonly port: number
  readonly key: string
  readonly agent: Agent
}

const ask = ({ port, key, agent }: Target, path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const began = performance.now()
    const headers = { authorization: `Bearer ${key}` }
    request({ agent, port, path: `/v1/reports/${path}`, headers }, (answer) => {
      answer.resume()
      answer.on("end", () =>
        answer.statusCode === 200
          ? resolve(performance.now() - began)
          : reject(new Error(`${path} answered ${answer.statusCode}`)),
      )
      answer.on("error", reject)
    })
      .on("error", reject)
      .end()
  })

/** Milliseconds of each, asked by all callers at once, one after the other by each. */
const askAll = async (target: Target, paths: ReadonlyArray<string>): Promise<ReadonlyArray<number>> => {
  const waiting = [...paths]
  const times: Array<number> = []
  const caller = async (): Promise<void> => {
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop())
      times.push(await ask(target, path))
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  return times.toSorted((a, b) => a - b)
}

const round = (milliseconds: number | undefined): number => Math.round((milliseconds ?? 0) * 10) / 10
const percentile = (sorted: ReadonlyArray<number>, share: number): number =>
  round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))])

/** The nth month long range of the year, each another one; of three one is about a team. */
const rangeOf = ({ from, days }: QueryWorld, n: number, of: "members" | "clients"): string => {
  const first = Date.parse(`${from}T00:00:00Z`) + ((n * 97) % (days - 30)) * DAY
  const dateOf = (at: number): string => new Date(at).toISOString().slice(0, 10)
  const whom = of === "members" && n % 3 === 0 ? `&team_id=t_${n % 60}` : ""
  return `from=${dateOf(first)}&to=${dateOf(first + 29 * DAY)}${whom}`
}

/**
 * Reports over HTTP by 8 callers at once, over a year of one tenant: `first` are questions that nobody asked before,
 * `again` those of a dashboard that many look at. Nothing is written meanwhile, so that those are remembered.
 */
export const queries = Effect.fn("queries")(function* (events: number, say: (figure: unknown) => void) {
  const stack = yield* makeStack
  const world: QueryWorld = { tenant: "bench", events, users: 5000, from: "2025-11-01", days: 365 }
  yield* putQueryWorld(world).pipe(Effect.provide(stack.services))
  yield* stack.command("api")
  const key = yield* createKey({ tenant: world.tenant, role: "super_admin" }).pipe(
    Effect.provide(stack.services),
  )
  const target = {
    port: stack.settings.apiPort,
    key,
    agent: new Agent({ keepAlive: true, maxSockets: CALLERS }),
  }
  const one = `${CALLS.summary}${rangeOf(world, 0, "members")}`
  yield* Effect.tryPromise(() => ask(target, one)).pipe(
    Effect.retry({ schedule: Schedule.spaced("200 millis"), times: 300 }),
    Effect.orDie,
  )
  for (const [call, path] of Object.entries(CALLS)) {
    const pathOf = (n: number) =>
      `${path}${rangeOf(world, n, call === "client-engagement" ? "clients" : "members")}`
    const firstOnes = Array.from({ length: FIRST }, (_, n) => pathOf(n + 1))
    const first = yield* Effect.promise(() => askAll(target, firstOnes))
    const dashboard = Array.from({ length: AGAIN }, (_, n) => pathOf(1 + (n % QUESTIONS)))
    yield* Effect.promise(() => askAll(target, dashboard.slice(0, QUESTIONS)))
    const began = performance.now()
    const again = yield* Effect.promise(() => askAll(target, dashboard))
    say({
      bench: "queries",
      call,
      events,
      users: world.users,
      callers: CALLERS,
      first_p50_ms: percentile(first, 0.5),
      first_p99_ms: percentile(first, 0.99),
      again_p50_ms: percentile(again, 0.5),
      again_p99_ms: percentile(again, 0.99),
      again_per_second: Math.round((AGAIN / (performance.now() - began)) * 1000),
    })
  }
  target.agent.destroy()
}, Effect.scoped)
