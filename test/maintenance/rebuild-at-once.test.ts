// What readers see of a rebuild of many months, and what stays as it was. What a test puts wrong is never among what came last,
// since whoever takes the partition proves that.
import { expect, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { ClickHouse } from "#clickhouse"
import { TABLES } from "#schemas/names.ts"
import { utcMonth } from "#schemas/time.ts"
import { readStoreVersion, versionOf } from "../../api/queries/store-version.ts"
import { Traffic } from "../faults/traffic.ts"
import { until } from "../faults/until.ts"
import { World } from "../faults/world.ts"
import { owns } from "../faults/writers.ts"
import { command } from "./maintainer.ts"
import { DAILY, rebuilding, shadows, sumOf } from "./rebuilds.ts"

const MONTHS = Array.from({ length: 8 }, (_, ago) => {
  const now = new Date()
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - ago - 1, 10)
})

const shapeOf = (table: string) =>
  Effect.flatMap(ClickHouse, (store) =>
    store.query<{ shape: string; uuid: string }>(
      `SELECT create_table_query AS shape, toString(uuid) AS uuid
       FROM system.tables WHERE concat(database, '.', name) = {table:String}`,
      { params: { table } },
    ),
  ).pipe(Effect.map((rows) => rows[0] ?? { shape: "", uuid: "" }))

const asApi = <A, E, R>(asking: Effect.Effect<A, E, R>) =>
  Effect.flatMap(World, ({ clickhouseUrl }) =>
    Effect.provide(asking, ClickHouse.layer({ url: clickhouseUrl, user: "tidemark_api", password: "" })),
  )

const sumsByMonth = Effect.fnUntraced(function* (tenant: string) {
  const store = yield* ClickHouse
  const rows = yield* store.query<{ month: number; events: number }>(
    `SELECT toYYYYMM(day) AS month, sum(events) AS events
     FROM ${DAILY.table} WHERE tenant = {tenant:String} GROUP BY month`,
    { params: { tenant } },
  )
  const sums = new Map(rows.map(({ month, events }) => [month, events]))
  return (month: number) => sums.get(month) ?? 0
})

/** Asks again and again, several at once, and gives every answer that there was. */
const watch = Effect.fnUntraced(function* (asking: typeof sum) {
  const seen = new Set<number>()
  let answers = 0
  const asked = asking.pipe(
    Effect.tap((answer) =>
      Effect.sync(() => {
        seen.add(answer)
        answers++
      }),
    ),
    Effect.forever,
  )
  const watching = yield* Effect.all([asked, asked, asked], { concurrency: "unbounded" }).pipe(
    Effect.forkChild,
  )
  return { seen, answers: () => answers, end: Fiber.interrupt(watching) }
})
const sum = sumOf(DAILY.table, "a")

layer(Traffic.layer, { excludeTestServices: true, timeout: "120 seconds" })(
  "a rebuild of many months",
  (it) => {
    it.effect(
      "is seen as a whole or not at all by whoever asks for their sum",
      () =>
        Effect.gen(function* () {
          const { expected, publish } = yield* Traffic
          const { startWriter, quiet } = yield* World
          const writer = yield* startWriter({ BATCH_ROWS: "400" })
          yield* until("it owns", owns(writer))
          for (const time of MONTHS) yield* publish("a", 30, { time })
          yield* publish("c", 300)
          yield* quiet
          const right = yield* sum
          // Every month holds twice what it should.
          yield* command(`INSERT INTO ${DAILY.table} SELECT * FROM ${DAILY.table} WHERE tenant = 'a'`)
          // And one that raw no longer has, and that is nowhere else.
          yield* command(
            `INSERT INTO ${DAILY.table} (tenant, zone, day, user_id, action, events, quantity, last_at)
             SELECT 'old', 'UTC', toStartOfMonth(today()) - 1200, 'u', 'note.logged', 7, 7, now64(3, 'UTC')`,
          )
          const before = yield* shapeOf(DAILY.table)
          const version = yield* asApi(readStoreVersion())
          const watched = yield* watch(sum)
          yield* until(
            "it is asked",
            Effect.sync(() => watched.answers() > 10),
          )

          const { months, kept } = yield* rebuilding(DAILY)
          const atEnd = watched.answers()
          yield* until(
            "it is asked once more",
            Effect.sync(() => watched.answers() > atEnd + 10),
          )
          yield* watched.end
          expect([months.length, kept.length]).toEqual([9, 1])
          expect([...watched.seen]).toEqual([2 * right, right])
          expect(yield* sumOf(DAILY.table, "old")).toBe(7)

          const after = yield* shapeOf(DAILY.table)
          expect(after.shape).toBe(before.shape)
          expect(after.uuid).not.toBe(before.uuid)
          expect(yield* shadows).toEqual([])
          // What was remembered of the months is not answered any more.
          const reads = MONTHS.map((start) => [{ table: TABLES.activityDaily, range: { start, end: start } }])
          const now = yield* asApi(readStoreVersion())
          for (const read of reads) expect(versionOf(now, read)).not.toBe(versionOf(version, read))
          // The view fills what is in place.
          yield* publish("a", 50)
          yield* quiet
          yield* command(`ALTER TABLE ${DAILY.table} DELETE WHERE tenant = 'old'`)
          expect(yield* expected.differences()).toEqual([])
        }),
      { timeout: 90_000 },
    )

    it.effect(
      "of which some are named leaves the others, with what comes to them meanwhile",
      () =>
        Effect.gen(function* () {
          const { expected, publish } = yield* Traffic
          const { startWriter, quiet } = yield* World
          yield* startWriter({ BATCH_ROWS: "400" })
          for (const time of MONTHS.slice(0, 3)) yield* publish("b", 30, { time })
          yield* publish("c", 300)
          yield* quiet
          const [named = 0, other = 0, third = 0] = MONTHS.map(utcMonth)
          const once = yield* sumsByMonth("b")
          yield* command(`INSERT INTO ${DAILY.table} SELECT * FROM ${DAILY.table} WHERE tenant = 'b'`)
          const { months } = yield* rebuilding(DAILY, {
            months: new Set([named]),
            onMonth: () =>
              publish("b", 30, { time: MONTHS[1] ?? 0 }).pipe(
                Effect.andThen(publish("c", 300)),
                Effect.andThen(quiet),
                Effect.orDie,
              ),
          })
          expect(months).toEqual([named])
          const found = yield* sumsByMonth("b")
          expect(found(named)).toBe(once(named))
          expect(found(third)).toBe(2 * once(third))
          expect(found(other)).toBeGreaterThan(2 * once(other))
          yield* rebuilding(DAILY)
          expect(yield* expected.differences()).toEqual([])
        }),
      { timeout: 90_000 },
    )

    it.effect(
      "does not exchange away what a migration did meanwhile",
      () =>
        Effect.gen(function* () {
          const { publish } = yield* Traffic
          const { startWriter, quiet } = yield* World
          yield* startWriter({ BATCH_ROWS: "400" })
          yield* publish("e", 30)
          yield* quiet
          const store = yield* ClickHouse
          const { uuid } = yield* shapeOf(DAILY.table)
          const migrated = store.command(
            `ALTER TABLE ${DAILY.table} MODIFY SETTING merge_with_ttl_timeout = 14401`,
          )
          const exit = yield* rebuilding(DAILY, {
            onMonth: (_, left) => (left > 0 ? Effect.void : Effect.orDie(migrated)),
          }).pipe(Effect.exit)
          expect(exit._tag).toBe("Failure")
          expect((yield* shapeOf(DAILY.table)).uuid).toBe(uuid)
        }),
      { timeout: 90_000 },
    )
  },
)
