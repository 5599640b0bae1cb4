import { type ChildProcess, spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { Effect, Schedule } from "effect"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { BUCKETS, directorySubject, messageId, STREAMS } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"
import { Publisher } from "#nats/publisher.ts"
import { createKey } from "../api/auth/keys.ts"
import { benchEvent, BENCH_TENANTS, BENCH_USERS } from "./events.ts"
import { makeStack, peakMemory } from "./stack.ts"

const DAYS = 60
const DAY = 86_400_000
/** Questions that are asked all the while; their answers must be the same before, during and after. */
const QUESTIONS = 50
/** Milliseconds between two: the figures are of the commands, not of a machine that only answers. */
const PAUSE = 200

const publishAll = Effect.fnUntraced(function* (events: number, now: number) {
  const { connection } = yield* Nats
  const publisher = Publisher.open(connection, { maxInFlight: 8192 })
  yield* Effect.promise(async () => {
    let waiting: Array<Promise<unknown>> = []
    for (const tenant of BENCH_TENANTS)
      for (let user = 0; user < BENCH_USERS; user++) {
        const event = {
          specversion: "1.0",
          id: `user.${user}`,
          source: "/bench",
          type: "user.upserted",
          time: "2026-01-01T00:00:00Z",
          tenantid: tenant,
          data: {
            user_id: `u_${user}`,
            kind: "member",
            name: `Member ${user}`,
            email: `u_${user}@bench.example`,
            team_ids: [`t_${user % 9}`],
          },
        }
        waiting.push(
          publisher.publish({
            subject: directorySubject(tenant, event.type),
            messageId: messageId(tenant, event.id),
            payload: Buffer.from(JSON.stringify(event)),
          }),
        )
      }
    for (let n = 0; n < events; n++) {
      waiting.push(
        publisher.publish(benchEvent(n, now - DAYS * DAY + Math.floor((n / events) * (DAYS - 1) * DAY))),
      )
      if (waiting.length < 8192) continue
      await Promise.all(waiting)
      waiting = []
    }
    await Promise.all(waiting)
    await publisher.close()
  })
})

const committed = Effect.flatMap(Nats, ({ kv }) =>
  Effect.promise(
    async () =>
      (await (await kv.open(BUCKETS.ledger)).get(STREAMS.actions))?.json<LedgerRecord>().committed ?? 0,
  ),
)

const dateOf = (at: number): string => new Date(at).toISOString().slice(0, 10)

/** Addresses of reports, each of another tenant, range or kind. */
const questionsOf = (now: number): ReadonlyArray<{ readonly tenant: string; readonly path: string }> => {
  const kinds = [
    "reports/user-insights/summary?",
    "reports/user-insights/users?limit=100&sort=-contacts_created&",
    "reports/user-insights/timeseries?metric=active_users&metric=notes_logged&",
    "reports/user-insights/teams?",
    "reports/client-engagement?limit=100&",
    "actions?limit=50&",
  ]
  return Array.from({ length: QUESTIONS }, (_, n) => {
    const from = now - (DAYS - 2 - (n % 20)) * DAY
    const to = from + (3 + ((n * 7) % 30)) * DAY
    const range = `from=${dateOf(from)}&to=${dateOf(Math.min(to, now - 2 * DAY))}`
    return {
      tenant: BENCH_TENANTS[n % BENCH_TENANTS.length] ?? "",
      path: `${kinds[n % kinds.length]}${range}`,
    }
  })
}

/**
 * Audit, replay and rebuild of everything, each a command of its own beside a writer and an API, with its time and memory; and
 * whether reports that are asked all the while answer the same before, during and after.
 */
export const maintenance = Effect.fn("maintenance")(function* (
  events: number,
  say: (figure: unknown) => void,
) {
  const stack = yield* makeStack
  const now = Date.now()
  yield* publishAll(events, now).pipe(Effect.provide(stack.services))
  yield* stack.command("writer")
  yield* stack.command("api")
  yield* committed.pipe(
    Effect.provide(stack.services),
    Effect.repeat({ until: (seq) => seq >= events, schedule: Schedule.spaced("500 millis") }),
  )
  const keys = new Map<string, string>()
  for (const tenant of BENCH_TENANTS)
    keys.set(tenant, yield* createKey({ tenant, role: "super_admin" }).pipe(Effect.provide(stack.services)))
  const questions = questionsOf(now)
  const ask = async (n: number): Promise<string> => {
    const { tenant = "", path = "" } = questions[n] ?? {}
    const address = `http://127.0.0.1:${stack.settings.apiPort}/v1/${path}`
    const answer = await fetch(address, { headers: { authorization: `Bearer ${keys.get(tenant)}` } })
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}`)
    // How far the data goes is another instant each time; a list's cursor holds it, too.
    const {
      meta: _,
      next_cursor: __,
      ...numbers
    } = (await answer.json()) as {
      readonly meta: unknown
      readonly next_cursor?: string | null
    }
    return createHash("sha256").update(JSON.stringify(numbers)).digest("hex")
  }
  const before = yield* Effect.tryPromise(async () => {
    const answers: Array<string> = []
    for (let n = 0; n < QUESTIONS; n++) answers.push(await ask(n))
    return answers
  }).pipe(Effect.retry({ schedule: Schedule.spaced("500 millis"), times: 60 }), Effect.orDie)

  const command = (...args: ReadonlyArray<string>) =>
    Effect.promise(async () => {
      const began = performance.now()
      const child: ChildProcess = spawn(process.execPath, [stack.cli, ...args], {
        env: { ...process.env, ...stack.env },
        stdio: ["ignore", "pipe", "inherit"],
      })
      let out = ""
      child.stdout?.setEncoding("utf8").on("data", (text: string) => (out += text))
      const running = { isOver: false, code: 1 }
      child.once("close", (code) => {
        running.isOver = true
        running.code = code ?? 1
      })
      let memory = 0
      let asked = 0
      const different = new Set<number>()
      while (!running.isOver) {
        const n = asked++ % QUESTIONS
        if ((await ask(n)) !== before[n]) different.add(n)
        await new Promise((resolve) => setTimeout(resolve, PAUSE))
        if (!running.isOver) memory = Math.max(memory, peakMemory(child.pid ?? 0))
      }
      const seconds = Math.round((performance.now() - began) / 100) / 10
      let differentAfter = 0
      for (let n = 0; n < QUESTIONS; n++) if ((await ask(n)) !== before[n]) differentAfter++
      return {
        seconds,
        code: running.code,
        peak_rss_mb: memory,
        asked,
        different: different.size,
        differentAfter,
        out,
      }
    })
  const figure = (bench: string, done: Effect.Success<ReturnType<typeof command>>, more: object) => {
    const { out: _, differentAfter, ...rest } = done
    say({
      bench,
      events,
      ...rest,
      different_after: differentAfter,
      events_per_second: Math.round(events / done.seconds),
      ...more,
    })
  }
  const audited = yield* command("audit", "--all", "--json")
  figure("audit", audited, { differences: (JSON.parse(audited.out) as { differences: number }).differences })
  const replayed = yield* command("replay", "--apply", "--json")
  figure("replay", replayed, { added: (JSON.parse(replayed.out) as { added: number }).added })
  const rebuilt = yield* command("rebuild", "--all", "--json")
  const paused = rebuilt.out
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { paused: number }).paused)
  figure("rebuild", rebuilt, {
    writers_paused_seconds: paused.map((seconds) => Math.round(seconds * 10) / 10),
  })
  const again = yield* command("audit", "--all", "--json")
  figure("audit after", again, {
    differences: (JSON.parse(again.out) as { differences: number }).differences,
  })
}, Effect.scoped)
