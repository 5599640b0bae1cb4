// Replays that do not end well at once: refused again, broken off, of what was erased; and those of the other streams.
import { randomUUID } from "node:crypto"
import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ClickHouse } from "#clickhouse"
import { auditSubject, BUCKETS, directorySubject, messageId, STREAMS, TABLES } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"
import { type Handled, lastLetter, listLetters } from "../../api/dead-letters/letters.ts"
import { discardLetter, NotReplayable, replayLetter } from "../../api/dead-letters/replay.ts"
import { Traffic } from "../faults/traffic.ts"
import { until } from "../faults/until.ts"
import { World } from "../faults/world.ts"
import { metricOf } from "../faults/writers.ts"

const DAY = 86_400_000
const LIMITS = { maxClockAhead: 1000, maxAge: 700 * DAY }

const open = (tenant: string, all = false) =>
  Effect.map(listLetters({ tenant, all }, { from: 1, limit: 1000 }), ({ letters }) => letters)

/** Waits for so many letters of a tenant that are open. */
const opened = Effect.fnUntraced(function* (tenant: string, count: number) {
  yield* until(
    `${count} open letters of ${tenant}`,
    Effect.map(open(tenant), ({ length }) => length === count),
  )
  return yield* open(tenant)
})

const replayed = (handled: Handled | undefined) =>
  Effect.flatMap(Traffic, ({ publisher }) =>
    handled === undefined
      ? Effect.die("no letter")
      : replayLetter(handled.letter, "test", { publisher, limits: LIMITS }),
  )

const counted = (statement: string, tenant: string) =>
  Effect.flatMap(ClickHouse, (store) =>
    store.query<{ rows: number }>(statement, { params: { tenant } }),
  ).pipe(Effect.map((rows) => rows[0]?.rows ?? 0))

const stored = (tenant: string) =>
  counted(`SELECT count() AS rows FROM ${TABLES.actions} WHERE tenant = {tenant:String}`, tenant)

layer(Traffic.layer, { excludeTestServices: true, timeout: "120 seconds" })("a dead letter", (it) => {
  it.effect(
    "that was replayed in vain is replayed again at once, as is one whose replay was broken off; what was erased is not",
    () =>
      Effect.gen(function* () {
        const store = yield* ClickHouse
        const { kv } = yield* Nats
        const { make, send } = yield* Traffic
        const { startWriter, quiet } = yield* World
        yield* store.command("ALTER TABLE tidemark.actions ADD CONSTRAINT no_x CHECK page != 'x'")
        yield* startWriter()
        for (const { message } of make("a", 2, { page: "x" })) yield* send(message)
        yield* quiet
        const [first, second] = yield* opened("a", 2)
        const upTo = yield* lastLetter
        expect(yield* replayed(first)).toMatchObject({ fate: "replayed", replays: 1 })
        yield* quiet
        const [, again] = yield* opened("a", 2)
        expect(again?.letter).toMatchObject({ reason: "rejected_by_store", payload: first?.letter.payload })
        // A bulk replay ends where it began to read.
        const bound = yield* listLetters({ tenant: "a", upTo, all: true }, { from: 1, limit: 100 })
        expect([bound.letters.length, bound.next]).toEqual([2, undefined])

        yield* store.command("ALTER TABLE tidemark.actions DROP CONSTRAINT no_x")
        // Within the broker's window, under the same event's id.
        yield* replayed(again)
        yield* quiet
        expect(yield* stored("a")).toBe(1)

        const fates = yield* Effect.promise(() => kv.open(BUCKETS.deadLetters))
        const keyOf = ({ letter }: Handled) => `${letter.stream}.${letter.generation}.${letter.sequence}`
        if (second === undefined || again === undefined) throw new Error("no letter")
        const write = (fate: object) =>
          Effect.promise(() => fates.put(keyOf(second), JSON.stringify({ at: "", by: "test", ...fate })))
        yield* write({ fate: "replaying", replays: 1 })
        expect((yield* open("a")).map(({ letter }) => letter.id)).toEqual([second.letter.id])
        yield* Effect.all([replayed(second), replayed(second)], { concurrency: 2 })
        yield* replayed(second)
        yield* quiet
        expect(yield* stored("a")).toBe(2)
        expect(yield* open("a")).toEqual([])
        // Discarding it does not hide that it was replayed.
        expect(yield* discardLetter(second.letter, "test")).toMatchObject({ fate: "replayed" })

        yield* write({ fate: "erased" })
        expect(yield* Effect.flip(replayed(second))).toBeInstanceOf(NotReplayable)
        expect((yield* open("a", true)).map(({ fate }) => fate?.fate)).toContain("erased")
      }),
    { timeout: 120_000 },
  )

  it.effect(
    "of the directory and of the audit log is replayed into its table",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Traffic
        const { startWriter } = yield* World
        const writer = yield* startWriter()
        const team = {
          specversion: "1.0",
          id: "team",
          source: "/test",
          type: "team.upserted",
          // Ahead of the clock for now, which some seconds will mend.
          time: new Date(Date.now() + 8000).toISOString(),
          tenantid: "k",
          data: { team_id: "t", name: "T" },
        }
        const payload = Buffer.from(JSON.stringify(team))
        yield* send({ subject: directorySubject("k", team.type), messageId: messageId("k", "team"), payload })
        const [early] = yield* opened("k", 1)
        expect(early?.letter).toMatchObject({ stream: STREAMS.directory, reason: "time_in_future" })
        expect(yield* Effect.flip(replayed(early))).toBeInstanceOf(NotReplayable)

        expect(
          yield* metricOf(writer, 'tidemark_dead_letters_total{stream="DIRECTORY",reason="time_in_future"}'),
        ).toBe(1)

        // As a writer that does not know the action yet would have left it.
        const record = {
          id: randomUUID(),
          at: new Date().toISOString(),
          tenant: "l",
          actor: { kind: "key", id: "k_1", role: "super_admin" },
          action: "report.viewed",
          route: "GET /v1/actions",
          filters: {},
          outcome: "ok",
        }
        const bad = Buffer.from(JSON.stringify({ ...record, tenant: "other" }))
        yield* send({ subject: auditSubject("l"), messageId: messageId("l", record.id), payload: bad })
        const [log] = yield* opened("l", 1)
        expect(log?.letter).toMatchObject({ stream: STREAMS.audit, reason: "tenant_mismatch" })
        expect(yield* Effect.flip(replayed(log))).toBeInstanceOf(NotReplayable)
        if (log === undefined) throw new Error("no letter")
        const good = { ...log, letter: { ...log.letter, payload: Buffer.from(JSON.stringify(record)) } }
        yield* replayed(good)
        yield* until(
          "it is in the audit log",
          Effect.map(
            counted(
              `SELECT count() AS rows FROM ${TABLES.auditLog} FINAL WHERE tenant = {tenant:String}`,
              "l",
            ),
            (rows) => rows === 1,
          ),
        )

        yield* until(
          "the team's time has come",
          Effect.match(replayed(early), { onSuccess: () => true, onFailure: () => false }),
        )
        yield* until(
          "it is in the directory",
          Effect.map(
            counted(`SELECT count() AS rows FROM ${TABLES.teams} FINAL WHERE tenant = {tenant:String}`, "k"),
            (rows) => rows === 1,
          ),
        )
        expect(yield* open("k")).toEqual([])
      }),
    { timeout: 120_000 },
  )
})
