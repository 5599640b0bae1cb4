import { expect, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { ClickHouse } from "#clickhouse"
import { TABLES } from "#schemas/names.ts"
import { daysOf, piecesOf, RowsAtOnce } from "../../pipeline/audit/rollup-scope.ts"
import { lookAt } from "../../pipeline/rebuild/rebuild.ts"
import { ROLLUPS } from "../../pipeline/writer/rollups.ts"
import { Traffic } from "../faults/traffic.ts"
import { until } from "../faults/until.ts"
import { World } from "../faults/world.ts"
import { owns } from "../faults/writers.ts"
import { asMaintainer, command } from "./maintainer.ts"
import { rebuilding, shadows, sumOf } from "./rebuilds.ts"

/** So few that a tenant's day is looked at, or built and compared, in parts: of some forty rows, and of two hundred. */
const [FEW, MANY] = [25, 120]

layer(Traffic.layer, { excludeTestServices: true, timeout: "120 seconds" })("a rebuild", (it) => {
  it.effect(
    "gives an emptied rollup its history, and puts right what is doubled or missing, under load and unseen",
    () =>
      Effect.gen(function* () {
        const { expected, publish } = yield* Traffic
        const { startWriter, quiet } = yield* World
        const writer = yield* startWriter({ BATCH_ROWS: "20" })
        yield* until("it owns", owns(writer))
        yield* publish("a", 300)
        yield* publish("b", 300)
        yield* quiet
        // As of a store that an older version made.
        yield* command(`TRUNCATE TABLE ${TABLES.clientActivity15m}`)
        yield* command(
          `INSERT INTO ${TABLES.activity15m} SELECT * FROM ${TABLES.activity15m} WHERE tenant = 'b'`,
        )
        yield* command(`ALTER TABLE ${TABLES.activityDaily} DELETE WHERE tenant = 'b' AND user_id = 'u_1'`)
        const look = asMaintainer(() => Effect.forEach(ROLLUPS, (rollup) => lookAt(rollup, undefined)))
        const wrong = yield* look
        const month = wrong[0]?.months.at(-1)?.month ?? 0
        const { pieces } = yield* Effect.provideService(piecesOf(daysOf(month)), RowsAtOnce, FEW)
        expect(pieces.some(({ parts }) => parts > 1)).toBe(true)
        expect(yield* Effect.provideService(look, RowsAtOnce, FEW)).toEqual(wrong)
        expect(wrong.every(({ months }) => months.some((month) => month.wrong > 0))).toBe(true)

        // Of this tenant nothing is wrong, so no reader may ever see another sum.
        const right = yield* sumOf(TABLES.activityDaily, "a")
        const seen = new Set<number>()
        const watching = yield* sumOf(TABLES.activityDaily, "a").pipe(
          Effect.tap((sum) => Effect.sync(() => seen.add(sum))),
          Effect.forever,
          Effect.forkChild,
        )
        const loading = yield* publish("c", 20).pipe(Effect.repeat({ times: 60 }), Effect.forkChild)
        for (const rollup of ROLLUPS) {
          const isEmptied = rollup.table === TABLES.clientActivity15m
          const built = isEmptied
            ? Effect.provideService(rebuilding(rollup), RowsAtOnce, MANY)
            : rebuilding(rollup)
          const { months, kept } = yield* built
          expect([months.length > 0, kept]).toEqual([true, []])
        }
        yield* Fiber.join(loading)
        yield* Fiber.interrupt(watching)
        expect([...seen]).toEqual([right])
        yield* quiet
        expect(yield* expected.differences()).toEqual([])
        expect(yield* shadows).toEqual([])
        // The views still fill what was put in place.
        yield* publish("d", 50)
        yield* quiet
        expect(yield* expected.differences()).toEqual([])
      }),
    { timeout: 120_000 },
  )

  it.effect(
    "finds a month that local days alone reach, and does not put in place what raw was changed under",
    () =>
      Effect.gen(function* () {
        const { expected, publish } = yield* Traffic
        const { startWriter, quiet } = yield* World
        yield* startWriter({ BATCH_ROWS: "20" })
        const now = new Date()
        // In the tenants' zone it is the next month already, of which raw has nothing.
        const edge = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 4, 1) - 3_600_000
        yield* publish("f", 10, { time: edge })
        yield* publish("g", 300)
        yield* quiet
        const daily = ROLLUPS.find(({ table }) => table === TABLES.activityDaily)
        if (daily === undefined) throw new Error("no daily rollup")
        yield* command(`ALTER TABLE ${daily.table} DELETE WHERE tenant = 'f'`)
        // And a month of which raw has nothing.
        yield* command(
          `INSERT INTO ${daily.table} (tenant, zone, day, user_id, action, events, quantity, last_at)
           SELECT 'f', 'UTC', toStartOfMonth(today()) - 200, 'nobody', 'note.logged', 1, 1, now64(3, 'UTC')`,
        )
        yield* rebuilding(daily)
        expect(yield* expected.differences()).toEqual([])

        // As many events and as much quantity, under other keys.
        const store = yield* ClickHouse
        const change = store.command(`ALTER TABLE ${TABLES.actions} UPDATE zone = 'UTC' WHERE tenant = 'f'`, {
          settings: { mutations_sync: "2" },
        })
        let changed = false
        const exit = yield* rebuilding(daily, {
          onMonth: (_, left) => {
            if (left > 0 || changed) return Effect.void
            changed = true
            return Effect.orDie(change)
          },
        }).pipe(Effect.exit)
        expect(exit._tag).toBe("Failure")
        yield* rebuilding(daily)
        const { months } = yield* asMaintainer(() => lookAt(daily, undefined))
        expect(months.filter(({ wrong }) => wrong > 0)).toEqual([])
      }),
    { timeout: 120_000 },
  )
})
