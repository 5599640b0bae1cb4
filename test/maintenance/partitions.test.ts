// Maintenance where events lie in streams that are not their tenants': four partitions, one stream that was left behind, and a
// broker that maps to none of the four.
import { expect, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { ClickHouse } from "#clickhouse"
import { STREAMS, TABLES } from "#schemas/names.ts"
import { actionStreamOf, actionStreams, mappedSubject, partitionOf } from "#schemas/partitions.ts"
import { Nats } from "#nats/connection.ts"
import { audit } from "../../pipeline/audit/audit.ts"
import { reapplyErasures } from "../../pipeline/erase/reapply.ts"
import { writeTombstone } from "../../pipeline/erase/tombstones.ts"
import { replay } from "../../pipeline/replay/replay.ts"
import type { Writer } from "../../pipeline/writer/context.ts"
import { openLedger } from "../../pipeline/writer/ledger.ts"
import { maintain } from "../../pipeline/writer/maintenance.ts"
import { MAX_ACTION_AGE } from "../../pipeline/writer/open-writer.ts"
import { rezoneTenants } from "../../pipeline/writer/rezone.ts"
import { changing } from "../../pipeline/writer/unproved.ts"
import { Zones } from "../../pipeline/writer/zones.ts"
import { deadLetters } from "../faults/dead-letters.ts"
import { allQuiet, held, untilShared } from "../faults/partitions-world.ts"
import { Traffic } from "../faults/traffic.ts"
import type { SingleEvent } from "../faults/single-events.ts"
import { until } from "../faults/until.ts"
import { World } from "../faults/world.ts"
import { kill } from "../faults/writers.ts"
import { tidemark } from "./command-line.ts"
import { holding, rowsOf } from "./erasures.ts"
import { asMaintainer, command, maintenance } from "./maintainer.ts"

/** One of each partition, in their order. */
const TENANTS = ["a", "b", "c", "d"] as const
const STREAM_NAMES = [STREAMS.actions, ...actionStreams(4)]
const FIRST = "ACTIONS_0"
const ROWS = 20
const DAY = 86_400_000
/** Settings of a command. */
const FOUR = { TIDEMARK_PARTITIONS: "4" }

const optionsOf = (stream: string) => ({ ...maintenance(ROWS), stream, partitions: 4 })

const startAt = (partitions: number) =>
  Effect.flatMap(World, ({ startWriter }) =>
    startWriter({ TIDEMARK_PARTITIONS: String(partitions), BATCH_ROWS: String(ROWS) }),
  )

/** An event's message with the time of another one. */
const withOtherTime = ({ sent, message }: SingleEvent) => {
  const [time, other] = [sent.time, sent.time + 1000].map((at) => new Date(at).toISOString())
  return { ...message, payload: Buffer.from(message.payload.toString().replace(time ?? "", other ?? "")) }
}

/** What differs between streams and raw. */
const auditing = (streams: ReadonlyArray<string> = STREAM_NAMES) =>
  asMaintainer(() =>
    audit(
      { streams, all: true, months: new Set() },
      { maxClockAhead: 1000, quietly: (look) => maintain(optionsOf(FIRST), new Zones(), look) },
    ),
  ).pipe(Effect.map(({ blocks }) => blocks.flatMap(({ stream, shown }) => shown.map((one) => [stream, one]))))

/** How many events a replay of all streams would add. */
const replaying = asMaintainer((zones) =>
  Effect.forEach(STREAM_NAMES, (stream) =>
    replay({}, { maintenance: optionsOf(stream), zones, apply: false }),
  ),
).pipe(Effect.map((all) => all.reduce((sum, { added }) => sum + added, 0)))

/** As the owner of a stream, while nobody else writes it. */
const owning = <A, E>(
  stream: string,
  work: Effect.Effect<A, E, Writer | ClickHouse | Nats>,
  change: (zones: Zones) => void = () => {},
) =>
  asMaintainer((zones) => {
    change(zones)
    return maintain({ ...optionsOf(stream), unsettled: true }, zones, work)
  })

/** A store of which raw lacks some rows, and the rollups what these came to. */
const restoreWithout = Effect.fnUntraced(function* (condition: string) {
  const { clickhouseUrl } = yield* World
  yield* Effect.gen(function* () {
    yield* command(`CREATE TABLE default.kept AS ${TABLES.actions} ENGINE = Memory`)
    yield* command(`INSERT INTO default.kept SELECT * FROM ${TABLES.actions} WHERE NOT (${condition})`)
    const { actions, activity15m, activityDaily, clientActivity15m } = TABLES
    for (const table of [actions, activity15m, activityDaily, clientActivity15m])
      yield* command(`TRUNCATE TABLE ${table}`)
    yield* command(`INSERT INTO ${TABLES.actions} SELECT * FROM default.kept`)
    yield* command("DROP TABLE default.kept")
  }).pipe(Effect.provide(ClickHouse.layer({ url: clickhouseUrl, user: "default", password: "" })))
})

const isRight = Effect.gen(function* () {
  const { expected } = yield* Traffic
  return (yield* expected.differences()).length === 0
}).pipe(Effect.orElseSucceed(() => false))

const messageWith = (tenant: string, user: string) =>
  Effect.map(
    Effect.forEach(STREAM_NAMES, (stream) =>
      holding(stream, `"tenantid":"${tenant}","data":{"actor_id":"${user}"`),
    ),
    (counts) => counts.reduce((sum, count) => sum + count, 0),
  )

layer(Traffic.layer, { excludeTestServices: true, timeout: "120 seconds" })("with partitions", (it) => {
  it.effect(
    "audit and replay find nothing wrong with what was sent on, and a restored store gets back what it counted before",
    () =>
      Effect.gen(function* () {
        const { expected, publish, make, send } = yield* Traffic
        const { quiet } = yield* World
        const one = yield* startAt(1)
        const [first] = yield* publish("c", 40)
        // Old enough to be refused, were it received a little later.
        const age = MAX_ACTION_AGE - 3000
        yield* publish("b", 1, { time: Date.now() - age })
        for (let round = 0; round < 4; round++) for (const tenant of TENANTS) yield* publish(tenant, 10)
        yield* quiet
        yield* kill(one, "SIGTERM")

        const four = yield* startAt(4)
        yield* untilShared([four], [5])
        for (const tenant of TENANTS) yield* publish(tenant, 10)
        const [second] = make("c", 1)
        if (first === undefined || second === undefined) throw new Error("no event")
        yield* send(withOtherTime(first))
        // As the broker would have it whose mapping is right, so that what is sent on is dropped for a repeat.
        const { subject } = second.message
        yield* send({ ...second.message, subject: mappedSubject(partitionOf("c", 4), subject) })
        yield* send(withOtherTime(second))
        expected.add(second.sent)
        yield* allQuiet
        expect(yield* expected.differences()).toEqual([])
        expect((yield* held)[FIRST]).toBeGreaterThan(40)
        const letters = yield* deadLetters
        expect(letters.map(({ reason, stream }) => [reason, stream]).toSorted()).toEqual([
          ["id_conflict", FIRST],
          ["id_conflict", actionStreamOf("c", 4)],
        ])
        expect(yield* auditing()).toEqual([])
        expect(yield* replaying).toBe(0)

        // On its way into a stream whose owner is busy.
        const looking = yield* asMaintainer((zones) =>
          maintain(
            optionsOf(actionStreamOf("b", 4)),
            zones,
            Effect.gen(function* () {
              yield* publish("b", 10)
              const { [FIRST]: last = 0 } = yield* held
              const ledger = yield* openLedger(FIRST, "test")
              yield* until(
                "sent on",
                Effect.map(ledger.peek, (record) => (record?.committed ?? 0) >= last),
              )
              const looking = yield* auditing([FIRST]).pipe(Effect.forkScoped)
              // For a first look; were it too short, nothing would be on its way any more.
              yield* Effect.sleep("2 seconds")
              return looking
            }),
          ),
        )
        expect(yield* Fiber.join(looking)).toEqual([])

        yield* allQuiet
        yield* kill(four, "SIGTERM")
        const end = (yield* held)[STREAMS.actions] ?? 0
        // The last row is there, so that only what lies before tells how far the store goes back.
        yield* restoreWithout(
          `stream = '${STREAMS.actions}' AND stream_seq > ${ROWS} AND stream_seq < ${end}`,
        )
        expect((yield* expected.differences()).length).toBeGreaterThan(0)
        yield* startAt(4)
        yield* until("everything there again", isRight)
        yield* allQuiet
        expect(yield* auditing()).toEqual([])
        const now = yield* deadLetters
        expect(now.filter(({ reason }) => reason !== "id_conflict")).toEqual([])
        // With a start it is not sent on once more.
        expect(now.filter(({ stream }) => stream === actionStreamOf("c", 4))).toHaveLength(1)
      }),
    { timeout: 120_000 },
  )

  it.effect(
    "the owner of a stream leaves other streams' tenants alone",
    () =>
      Effect.gen(function* () {
        const store = yield* ClickHouse
        const other = actionStreamOf("b", 4)
        const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10)
        const scope = {
          tenants: ["a", "b"],
          from: dayOf(Date.now() - 9 * DAY),
          to: dayOf(Date.now()),
        }
        yield* command(`ALTER TABLE ${TABLES.activityDaily} DELETE WHERE tenant = 'b'`)
        const repair = changing(scope, Effect.void)
        expect((yield* owning(FIRST, repair)).keys).toBe(0)
        expect((yield* owning(other, repair)).keys).toBeGreaterThan(0)

        const zonesOf = Effect.map(
          store.query<{ zone: string }>(
            `SELECT DISTINCT zone AS zone FROM ${TABLES.actions} WHERE tenant = 'b'`,
          ),
          (rows) => rows.map(({ zone }) => zone),
        )
        const toUtc = (zones: Zones) => zones.set("b", "UTC", Number.MAX_SAFE_INTEGER, "test")
        yield* owning(FIRST, rezoneTenants(), toUtc)
        expect(yield* zonesOf).toEqual(["Asia/Kathmandu"])
        yield* owning(other, rezoneTenants(), toUtc)
        expect(yield* zonesOf).toEqual(["UTC"])
        yield* owning(other, rezoneTenants())

        const erased = rowsOf("b", "1", TABLES.erasures)
        yield* writeTombstone({ tenant: "b", kind: "user", id: "nobody" }, "test", "done")
        yield* owning(FIRST, reapplyErasures())
        expect(yield* erased).toBe(0)
        yield* owning(other, reapplyErasures())
        expect(yield* erased).toBe(1)
      }),
    { timeout: 120_000 },
  )

  it.effect(
    "the commands ask whose sequences are meant, and leave out a stream that nobody ever owned",
    () =>
      Effect.gen(function* () {
        const { manager, jetstream } = yield* Nats
        yield* Effect.promise(async () => {
          await manager.streams.add({ name: "ACTIONS_9", subjects: ["idle.v1.ACTIONS_9"] })
          await jetstream.publish("idle.v1.ACTIONS_9", "{}")
        })
        for (const name of ["audit", "replay"]) {
          const vague = yield* tidemark([name, "--from-seq", "1"], undefined, FOUR)
          expect([vague.code > 0, vague.err]).toEqual([
            true,
            expect.stringMatching(/--from-seq is 1; expected --stream beside it.*ACTIONS_0 or ACTIONS_1/u),
          ])
          const all = yield* tidemark([name, "--json"], undefined, FOUR)
          expect([all.code, all.err]).toEqual([
            0,
            expect.stringContaining("Left out: no writer ever owned ACTIONS_9"),
          ])
          const one = yield* tidemark([name, "--from-seq", "1", "--stream", FIRST], undefined, FOUR)
          expect([one.code, one.err]).toEqual([0, ""])
        }
        yield* Effect.promise(() => manager.streams.delete("ACTIONS_9"))
      }),
    { timeout: 120_000 },
  )

  it.effect(
    "an erasure takes the person's messages out of every stream",
    () =>
      Effect.gen(function* () {
        const four = yield* startAt(4)
        yield* untilShared([four], [5])
        yield* allQuiet
        expect(yield* messageWith("b", "u_1")).toBeGreaterThan(0)
        const others = yield* messageWith("b", "u_2")
        const done = yield* tidemark(
          ["erase", "--tenant", "b", "--user", "u_1", "--mode", "delete", "--yes"],
          undefined,
          FOUR,
        )
        expect([done.code, done.err]).toEqual([0, ""])
        expect(yield* messageWith("b", "u_1")).toBe(0)
        expect(yield* messageWith("b", "u_2")).toBe(others)
        expect(yield* rowsOf("b", "actor_id = 'u_1'")).toBe(0)
        expect(yield* auditing()).toEqual([])
        expect(yield* replaying).toBe(0)
      }),
    { timeout: 120_000 },
  )
})
