import { Effect } from "effect"
import { Nats } from "#nats/connection.ts"
import { Publisher } from "#nats/publisher.ts"
import { createKey } from "../api/auth/keys.ts"
import { benchEvent } from "./events.ts"
import { makeStack } from "./stack.ts"
import { actionSubject, directorySubject, messageId } from "#schemas/names.ts"

const TENANT = "latency"
const PROBE_EVERY = 20
const SETTLE = 3

interface Summary {
  readonly data: Readonly<Record<string, { readonly value: number }>>
}

const percentile = (sorted: ReadonlyArray<number>, share: number): number =>
  Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)

const directoryOf = (user: string) => [
  {
    specversion: "1.0",
    id: `user.${user}`,
    source: "/bench",
    type: "user.upserted",
    time: "2026-01-01T00:00:00Z",
    tenantid: TENANT,
    data: { user_id: user, kind: "member", name: user, email: `${user}@bench.example`, team_ids: [] },
  },
]

/**
 * Milliseconds from publish to visible in the summary, at a steady rate of other events. Marked notes of one tenant are
 * published one after the other, and the summary is asked again and again how many it counts: each note was visible
 * when the first answer that counted it arrived.
 */
export const latency = Effect.fn("latency")(function* (rate: number, seconds: number) {
  const stack = yield* makeStack
  yield* stack.command("writer")
  yield* stack.command("api")
  const { connection } = yield* Nats.pipe(Effect.provide(stack.services))
  const publisher = Publisher.open(connection)
  const key = yield* createKey({ tenant: TENANT, role: "super_admin" }).pipe(Effect.provide(stack.services))
  const today = new Date().toISOString().slice(0, 10)
  const url = `http://127.0.0.1:${stack.settings.apiPort}/v1/reports/user-insights/summary?from=${today}&to=${today}`

  const latencies = yield* Effect.promise(async () => {
    for (const event of directoryOf("probe"))
      await publisher.publish({
        subject: directorySubject(TENANT, event.type),
        messageId: messageId(TENANT, event.id),
        payload: Buffer.from(JSON.stringify(event)),
      })
    const counted = async (): Promise<number> => {
      const answer = await fetch(url, { headers: { authorization: `Bearer ${key}` } }).catch(() => undefined)
      if (answer?.ok !== true) return -1
      return ((await answer.json()) as Summary).data["notes_logged"]?.value ?? -1
    }
    while ((await counted()) < 0) await new Promise((resolve) => setTimeout(resolve, 100))

    const publishedAt: Array<number> = []
    const visible: Array<number> = []
    const probe = () => {
      const n = publishedAt.push(performance.now())
      const event = {
        specversion: "1.0",
        id: `note-${n}`,
        source: "/bench",
        type: "note.logged",
        time: new Date().toISOString(),
        tenantid: TENANT,
        data: { actor_id: "probe", actor_type: "member", contact_id: "p_1" },
      }
      return publisher.publish({
        subject: actionSubject(TENANT, event.type),
        messageId: messageId(TENANT, event.id),
        payload: Buffer.from(JSON.stringify(event)),
      })
    }
    const began = performance.now()
    const progress = { isOver: false }
    const load = (async () => {
      const underWay: Array<Promise<unknown>> = []
      let sent = 0
      let probed = 0
      for (let now = 0; now < seconds * 1000; now = performance.now() - began) {
        for (; sent < (now / 1000) * rate; sent++)
          underWay.push(publisher.publish(benchEvent(sent, Date.now())))
        for (; probed < now / PROBE_EVERY; probed++) underWay.push(probe())
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
      await Promise.all(underWay)
      progress.isOver = true
    })()
    while (!progress.isOver || visible.length < publishedAt.length) {
      const count = await counted()
      const now = performance.now()
      while (visible.length < count) visible.push(now - (publishedAt[visible.length] ?? now))
      if (now - began > (seconds + 60) * 1000) break
    }
    await load
    await publisher.close()
    // The first seconds warm things up.
    return visible.slice((SETTLE * 1000) / PROBE_EVERY).toSorted((a, b) => a - b)
  })
  return {
    bench: "latency",
    events_per_second: rate,
    seconds,
    probes: latencies.length,
    p50_ms: percentile(latencies, 0.5),
    p99_ms: percentile(latencies, 0.99),
    max_ms: percentile(latencies, 1),
  }
}, Effect.scoped)
