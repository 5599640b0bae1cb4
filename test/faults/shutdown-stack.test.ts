// `npm start` told to stop while programs send it events over HTTP: what it accepted is there when it is up again.
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { ask } from "../ask-store.ts"
import { ROOT } from "../compose.ts"
import { freePort } from "../free-port.ts"
import { temporaryFolder } from "../temporary-folder.ts"
import { until } from "./until.ts"

const SENDERS = 6
const BATCH = 200
/** Milliseconds from being told to stop until the process has ended. */
const LIMIT = 10_000
const OPERATOR = "shutdown-operator-key"

/** Starts everything in one process, on ports of its own. */
const makeStack = Effect.gen(function* () {
  const dataDir = yield* temporaryFolder
  const [api, writer, exporter, nats, http, tcp] = yield* Effect.all(
    Array.from({ length: 6 }, () => freePort),
  )
  const env = {
    ...process.env,
    TIDEMARK_DATA_DIR: dataDir,
    API_PORT: String(api),
    WRITER_PORT: String(writer),
    EXPORTER_PORT: String(exporter),
    NATS_PORT: String(nats),
    CLICKHOUSE_HTTP_PORT: String(http),
    CLICKHOUSE_TCP_PORT: String(tcp),
    TIDEMARK_ADMIN_KEY: OPERATOR,
    LOG_LEVEL: "warn",
  }
  const url = `http://127.0.0.1:${api}`
  const start = Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, [join(ROOT, "deploy", "cli.ts"), "dev"], {
        env,
        stdio: ["ignore", "ignore", "inherit"],
      }),
    ),
    (child) => end(child, "SIGKILL"),
  ).pipe(
    Effect.tap(
      until(
        "the API is ready",
        Effect.promise(() =>
          fetch(`${url}/readyz`).then(
            ({ ok }) => ok,
            () => false,
          ),
        ),
        60,
      ),
    ),
  )
  return { url, storeUrl: `http://127.0.0.1:${http}`, start }
})

const end = (child: ChildProcess, signal: NodeJS.Signals) =>
  Effect.promise(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill(signal)
    await once(child, "exit")
  })

const eventOf = (n: number) => ({
  specversion: "1.0",
  id: `e-${n}`,
  source: "/shutdown",
  type: "note.logged",
  time: new Date().toISOString(),
  tenantid: "acme",
  data: { actor_id: `u_${n % 9}`, actor_type: "member", contact_id: "p_1" },
})

interface Answer {
  readonly accepted: number
  readonly duplicates: number
}

it.live(
  "everything in one process, told to stop under load, ends in time and keeps what it accepted",
  () =>
    Effect.gen(function* () {
      const { url, storeUrl, start } = yield* makeStack
      const post = (path: string, key: string, body: unknown) =>
        fetch(`${url}${path}`, {
          method: "POST",
          headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
          body: JSON.stringify(body),
        })
      const first = yield* start
      const made = yield* Effect.promise(async () =>
        (await post("/v1/api-keys", OPERATOR, { tenant: "acme", role: "producer" })).json(),
      )
      const { key } = made as { readonly key: string }

      let next = 0
      const progress = { isOver: false }
      /** Events that were acknowledged, and those whose answer never came. */
      const accepted = new Set<number>()
      const doubtful = new Set<number>()
      const sender = async (): Promise<void> => {
        while (!progress.isOver) {
          const numbers = Array.from({ length: BATCH }, () => next++)
          const answer = await post("/v1/events/batch", key, numbers.map(eventOf)).catch(() => undefined)
          const counts = answer?.status === 202 ? ((await answer.json()) as Answer) : undefined
          const isAccepted = counts !== undefined && counts.accepted + counts.duplicates === BATCH
          for (const n of numbers) (isAccepted ? accepted : doubtful).add(n)
          if (answer === undefined) return
        }
      }
      yield* Effect.addFinalizer(() => Effect.sync(() => (progress.isOver = true)))
      const sending = Array.from({ length: SENDERS }, sender)
      yield* until(
        "events are accepted",
        Effect.sync(() => accepted.size >= 20 * BATCH),
      )
      const toldAt = Date.now()
      yield* end(first, "SIGTERM")
      const took = Date.now() - toldAt
      progress.isOver = true
      yield* Effect.promise(() => Promise.all(sending))
      yield* Effect.logInfo(
        `stopped after ${took} ms, ${accepted.size} accepted, ${doubtful.size} without an answer`,
      )
      expect(took).toBeLessThan(LIMIT)
      expect(first.exitCode).toBe(0)

      yield* start
      const stored = Effect.promise(() =>
        ask<{ id: string }>("SELECT id FROM tidemark.actions", { user: "tidemark_reader", url: storeUrl }),
      )
      yield* until(
        "what was accepted is stored",
        Effect.map(stored, (rows) => {
          const ids = new Set(rows.map(({ id }) => id))
          return [...accepted].every((n) => ids.has(`e-${n}`))
        }),
      )
      const rows = yield* stored
      expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length)
      // Nothing that nobody sent.
      expect(rows.filter(({ id }) => Number(id.slice(2)) >= next)).toEqual([])
    }),
  { timeout: 120_000 },
)
