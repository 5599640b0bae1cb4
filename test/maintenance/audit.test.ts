import { expect, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { ClickHouse } from "#clickhouse"
import { STREAMS, TABLES } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"
import { audit, type Audit } from "../../pipeline/audit/audit.ts"
import { piecesOf, RowsAtOnce } from "../../pipeline/audit/rollup-scope.ts"
import { readLastAudit } from "../../pipeline/audit/standing.ts"
import { type Quietly, rollupDifferences } from "../../pipeline/audit/rollup-differences.ts"
import { maintain } from "../../pipeline/writer/maintenance.ts"
import { widen } from "../../pipeline/writer/scope.ts"
import { Zones } from "../../pipeline/writer/zones.ts"
import { Traffic } from "../faults/traffic.ts"
import { until } from "../faults/until.ts"
import { World } from "../faults/world.ts"
import { kill, owns } from "../faults/writers.ts"
import { asMaintainer, command, maintenance } from "./maintainer.ts"

const quietly: Quietly = (look) => maintain({ ...maintenance(), asItIs: true }, new Zones(), look)

const auditing = (all: boolean, range: { readonly from?: number; readonly to?: number } = {}) =>
  asMaintainer(() => audit({ streams: [STREAMS.actions], all, ...range }, { maxClockAhead: 1000, quietly }))

const total = (done: Audit, key: "messages" | "events" | "repeats" | "refused" | "gone") =>
  done.blocks.reduce((sum, block) => sum + block[key], 0)

/** Every difference as `kind tenant sequence`, a rollup's key as `kind table tenant`. */
const found = (done: Audit): ReadonlyArray<string> =>
  [...done.blocks, ...done.months]
    .flatMap(({ shown }) => shown)
    .map(({ kind, tenant, seq, detail }) =>
      kind === "rollup_key" ? `${kind} ${detail.split(" ")[0]} ${tenant}` : `${kind} ${tenant} ${seq}`,
    )
    .toSorted()

const seqOf = (tenant: string, n: number) =>
  Effect.flatMap(ClickHouse, (store) =>
    store.query<{ seq: number }>(
      `SELECT stream_seq AS seq FROM ${TABLES.actions} WHERE tenant = {tenant:String} AND id = {id:String}`,
      { params: { tenant, id: `e-${n}` } },
    ),
  ).pipe(Effect.map((rows) => rows[0]?.seq ?? 0))

/** What is wrong with a tenant's rollups, where so many rows are compared at once. */
const wrongOf = (tenant: string, rowsAtOnce: number) =>
  Effect.gen(function* () {
    const { pieces } = yield* piecesOf(widen([new Date().toISOString().slice(0, 10)], 9))
    const differences: Array<string> = []
    for (const piece of pieces.filter(({ tenants }) => tenants.includes(tenant)))
      // No writer runs, so none need pause.
      for (const found of yield* rollupDifferences(piece, (look) => look))
        if (found.tenant === tenant) differences.push(`${found.kind} ${found.detail}`)
    return { differences, isInParts: pieces.some(({ parts }) => parts > 1) }
  }).pipe(Effect.provideService(RowsAtOnce, rowsAtOnce))

layer(Traffic.layer, { excludeTestServices: true, timeout: "120 seconds" })("the audit", (it) => {
  it.effect(
    "finds nothing in a sound store, under load and at rest, and begins where it ended",
    () =>
      Effect.gen(function* () {
        const { publish, make, send, publishForgotten } = yield* Traffic
        const { startWriter, quiet } = yield* World
        const writer = yield* startWriter()
        yield* until("it owns", owns(writer))
        const [first] = yield* publish("a", 300)
        const [refused] = make("l", 1)
        if (first === undefined || refused === undefined) throw new Error("no events")
        yield* send({ ...refused.message, payload: Buffer.from("{") })
        yield* quiet
        // A proof of some messages in the middle says nothing of those before them.
        const [middle] = (yield* auditing(false, { from: 100, to: 110 })).standings
        expect(middle?.proved_through).toBe(0)
        const loading = yield* publish("a", 40).pipe(Effect.repeat({ times: 30 }), Effect.forkChild)
        const during = yield* auditing(false)
        expect(found(during)).toEqual([])
        expect(during.blocks[0]?.from_seq).toBe(1)
        expect(during.differences).toBe(0)
        yield* Fiber.join(loading)
        // The broker has forgotten it, so the stream holds it twice.
        yield* publishForgotten(first.message)
        yield* quiet

        const whole = yield* auditing(true)
        expect(found(whole)).toEqual([])
        const { manager } = yield* Nats
        const { state } = yield* Effect.promise(() => manager.streams.info(STREAMS.actions))
        expect(total(whole, "messages")).toBe(state.last_seq)
        expect(total(whole, "events")).toBe(state.last_seq - 1)
        expect([total(whole, "refused"), total(whole, "repeats"), total(whole, "gone")]).toEqual([1, 1, 0])
        expect(whole.months.length).toBeGreaterThan(0)

        const nothing = yield* auditing(false)
        expect([nothing.blocks, nothing.months]).toEqual([[], []])
        yield* publish("a", 10)
        yield* quiet
        const more = yield* auditing(false)
        expect([total(more, "messages"), more.differences]).toEqual([10, 0])
        expect(more.standings).toMatchObject([
          { stream: STREAMS.actions, proved_through: state.last_seq + 10, differences: 0, gone: 0 },
        ])
      }),
    { timeout: 120_000 },
  )

  it.effect(
    "names each thing that is wrong, and nothing else",
    () =>
      Effect.gen(function* () {
        const { publish, make, send } = yield* Traffic
        const { startWriter, quiet } = yield* World
        const { manager } = yield* Nats
        yield* startWriter()
        for (const tenant of ["b", "c", "d", "e", "f", "g"] as const) yield* publish(tenant, 20)
        const [refused] = make("h", 1)
        if (refused === undefined) throw new Error("no event")
        const { seq: refusedSeq } = yield* send({ ...refused.message, payload: Buffer.from("{") })
        yield* quiet
        expect((yield* auditing(false)).differences).toBe(0)

        // Events 5 and 10 of a tenant are a member's and concern a client and a candidate: all three rollups have them.
        const of = (tenant: string, n: number) => `tenant = '${tenant}' AND id = 'e-${n}'`
        const [missing, doubled, changed, swapped] = [
          yield* seqOf("b", 10),
          yield* seqOf("c", 10),
          yield* seqOf("d", 10),
          yield* seqOf("g", 5),
        ]
        yield* command(`ALTER TABLE ${TABLES.actions} DELETE WHERE ${of("b", 10)}`)
        yield* command(`INSERT INTO ${TABLES.actions} SELECT * FROM ${TABLES.actions} WHERE ${of("c", 10)}`)
        yield* command(`ALTER TABLE ${TABLES.actions} UPDATE page = 'else' WHERE ${of("d", 10)}`)
        yield* command(
          `INSERT INTO ${TABLES.activity15m} SELECT * REPLACE(toInt64(1) AS events, toInt64(0) AS quantity)
           FROM ${TABLES.activity15m} WHERE tenant = 'e' LIMIT 1`,
        )
        yield* command(`ALTER TABLE ${TABLES.clientActivity15m} DELETE WHERE tenant = 'f'`)
        // One event more and one less: as many rows as before. The views saw the one that came.
        yield* command(
          `INSERT INTO ${TABLES.actions} SELECT * REPLACE('e-else' AS id)
           FROM (SELECT * FROM ${TABLES.actions} WHERE ${of("g", 5)})`,
        )
        yield* command(`ALTER TABLE ${TABLES.actions} DELETE WHERE ${of("g", 5)}`)
        yield* Effect.promise(async () => {
          const letter = await manager.streams.getMessage(STREAMS.deadLetters, {
            last_by_subj: "dead.v1.h.invalid_json",
          })
          await manager.streams.deleteMessage(STREAMS.deadLetters, letter?.seq ?? 0)
        })

        const wrong = yield* auditing(true)
        const keys = new Set(found(wrong).filter((text) => text.startsWith("rollup_key")))
        expect([...keys]).toEqual([
          `rollup_key ${TABLES.clientActivity15m} b`,
          `rollup_key ${TABLES.clientActivity15m} f`,
          `rollup_key ${TABLES.activity15m} b`,
          `rollup_key ${TABLES.activity15m} e`,
          `rollup_key ${TABLES.activity15m} g`,
          `rollup_key ${TABLES.activityDaily} b`,
          `rollup_key ${TABLES.activityDaily} g`,
        ])
        expect(found(wrong).filter((text) => !text.startsWith("rollup_key"))).toEqual(
          [
            `missing_row b ${missing}`,
            `doubled_row c ${doubled}`,
            `doubled_row c ${doubled}`,
            `changed_row d ${changed}`,
            `changed_row g ${swapped}`,
            `missing_dead_letter h ${refusedSeq}`,
          ].toSorted(),
        )
        expect(wrong.differences).toBe(found(wrong).length)
        expect(wrong.standings).toMatchObject([{ differences: 5 }])
        expect((yield* readLastAudit())?.differences).toBe(wrong.differences)
      }),
    { timeout: 120_000 },
  )

  it.effect(
    "finds the same where a day has too many rows and is compared in parts",
    () =>
      Effect.gen(function* () {
        const { publish } = yield* Traffic
        const { startWriter, quiet } = yield* World
        const writer = yield* startWriter()
        yield* publish("i", 20)
        yield* quiet
        yield* kill(writer, "SIGTERM")
        expect(yield* wrongOf("i", 2)).toEqual({ differences: [], isInParts: true })
        const of = "tenant = 'i' AND id = 'e-10'"
        yield* command(`INSERT INTO ${TABLES.actions} SELECT * FROM ${TABLES.actions} WHERE ${of}`)
        for (const table of [TABLES.activity15m, TABLES.activityDaily])
          yield* command(
            `ALTER TABLE ${table} DELETE WHERE tenant = 'i' AND user_id = 'u_2' AND action = 'contact.created'`,
          )
        const [inParts, atOnce] = [yield* wrongOf("i", 2), yield* wrongOf("i", 1_000_000)]
        expect([inParts.isInParts, atOnce.isInParts]).toEqual([true, false])
        expect(inParts.differences.filter((text) => text.startsWith("doubled_row"))).toHaveLength(1)
        expect(atOnce.differences.length).toBeGreaterThan(2)
        // A local day is looked at with each of the UTC days around it.
        expect([...new Set(inParts.differences)].toSorted()).toEqual(atOnce.differences.toSorted())
      }),
    { timeout: 120_000 },
  )
})
