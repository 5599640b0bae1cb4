import { expect, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { ClickHouse } from "#clickhouse"
import { directorySubject, messageId, TABLES } from "#schemas/names.ts"
import { insertRows } from "../../pipeline/apply/insert-rows.ts"
import { directoryRow } from "../../pipeline/directory/rows.ts"
import { Expected } from "../faults/expected.ts"
import { type Tenant, Traffic } from "../faults/traffic.ts"
import { until } from "../faults/until.ts"
import { World } from "../faults/world.ts"
import { kill, owns } from "../faults/writers.ts"

let version = 0

const eventOf = (tenant: Tenant, zone: string, id: string, time: number) => ({
  specversion: "1.0" as const,
  id,
  source: "/faults",
  type: "tenant.upserted" as const,
  time: new Date(time).toISOString(),
  tenantid: tenant,
  data: { name: tenant, time_zone: zone },
})

/** Tells the directory of a tenant's zone. */
const move = Effect.fnUntraced(function* (tenant: Tenant, zone: string) {
  const { publisher } = yield* Traffic
  version++
  const event = eventOf(tenant, zone, `zone-${version}`, Date.UTC(2026, 5, 1) + version * 1000)
  yield* Effect.promise(() =>
    publisher.publish({
      subject: directorySubject(tenant, event.type),
      messageId: messageId(tenant, event.id),
      payload: Buffer.from(JSON.stringify(event)),
    }),
  )
})

const zonesOf = (table: string, tenant: Tenant) =>
  Effect.flatMap(ClickHouse, (store) =>
    store.query<{ zone: string }>(
      `SELECT DISTINCT zone AS zone FROM ${table} WHERE tenant = {tenant:String} ORDER BY zone`,
      { params: { tenant } },
    ),
  ).pipe(Effect.map((rows) => rows.map(({ zone }) => zone).join()))

/** Every row of a tenant, raw and daily, is of the zone. */
const isIn = (tenant: Tenant, zone: string) =>
  until(
    `${tenant} in ${zone}`,
    Effect.map(
      Effect.all([zonesOf(TABLES.actions, tenant), zonesOf(TABLES.activityDaily, tenant)]),
      ([raw, daily]) => raw === zone && daily === zone,
    ),
  )

layer(Traffic.layer, { excludeTestServices: true, timeout: "120 seconds" })("a tenant's zone", (it) => {
  it.effect(
    "that changes, twice, back, and while no writer runs: the daily rollup is that of the present one, by itself",
    () =>
      Effect.gen(function* () {
        const { publish } = yield* Traffic
        const { startWriter, quiet } = yield* World
        const writer = yield* startWriter()
        yield* until("it owns", owns(writer))
        // Spread over a change of the clocks and the days around midnight.
        const events = [
          ...(yield* publish("a", 150)),
          ...(yield* publish("a", 40, { time: Date.UTC(2026, 9, 4, 13, 50) })),
          ...(yield* publish("a", 40, { time: Date.UTC(2026, 9, 25, 0, 59) })),
        ]
        const others = yield* publish("b", 50)
        yield* quiet

        /** What the store must hold when the tenant is counted in a zone: reckoned anew, by the zone's own calendar. */
        const differencesIn = Effect.fnUntraced(function* (zone: string) {
          const expected = new Expected()
          for (const { sent } of events) expected.add({ ...sent, zone })
          for (const { sent } of others) expected.add(sent)
          return yield* expected.differences()
        })
        expect(yield* differencesIn("Asia/Kathmandu")).toEqual([])
        // A report asks the daily rollup while it holds one zone alone; then it must be whole.
        const store = yield* ClickHouse
        const answers = new Set<number>()
        const watching = yield* store
          .query<{ zones: number; events: number }>(
            `SELECT uniqExact(zone) AS zones, sum(events) AS events FROM ${TABLES.activityDaily} WHERE tenant = 'a'`,
          )
          .pipe(
            Effect.tap(([row]) => Effect.sync(() => row?.zones === 1 && answers.add(row.events))),
            Effect.forever,
            Effect.forkChild,
          )
        for (const zone of ["Australia/Lord_Howe", "America/St_Johns", "Europe/Berlin", "Asia/Kathmandu"]) {
          yield* move("a", zone)
          yield* isIn("a", zone)
          expect([zone, yield* differencesIn(zone)]).toEqual([zone, []])
        }
        yield* Fiber.interrupt(watching)
        expect([...answers]).toEqual([events.filter(({ sent }) => sent.actorType === "member").length])
        // Twice in a row, while events come.
        yield* move("a", "Pacific/Chatham")
        events.push(...(yield* publish("a", 60)))
        yield* move("a", "Asia/Kolkata")
        events.push(...(yield* publish("a", 60)))
        yield* isIn("a", "Asia/Kolkata")
        yield* quiet
        expect(yield* differencesIn("Asia/Kolkata")).toEqual([])
        // While nobody writes.
        yield* kill(writer)
        yield* move("a", "UTC")
        const next = yield* startWriter()
        yield* isIn("a", "UTC")
        // Killed in the middle of it.
        yield* move("a", "Asia/Tokyo")
        yield* Effect.sleep("700 millis")
        yield* kill(next)
        yield* startWriter()
        yield* isIn("a", "Asia/Tokyo")
        yield* quiet
        expect(yield* differencesIn("Asia/Tokyo")).toEqual([])
      }),
    { timeout: 90_000 },
  )

  it.effect(
    "that changes takes along the days that raw has dropped",
    () =>
      Effect.gen(function* () {
        const { publish } = yield* Traffic
        const { startWriter, quiet } = yield* World
        const store = yield* ClickHouse
        yield* move("c", "America/St_Johns")
        yield* publish("c", 20)
        const writer = yield* startWriter()
        yield* isIn("c", "America/St_Johns")
        yield* quiet
        // Half an hour before midnight there, an hour after it, and the evening after; one day is corrected.
        const history = (zone: string, ...days: ReadonlyArray<string>) =>
          Effect.forEach(
            [
              ["2021-03-10 02:45:00", days[0], 3],
              ["2021-03-10 04:30:00", days[1], 4],
              ["2021-03-10 04:30:00", days[1], -1],
              ["2021-03-11 01:00:00", days[2], 5],
              // A day of two months, here and there.
              ["2021-03-31 20:00:00", days[3], 6],
              ["2021-04-01 01:00:00", days[4], 7],
              ["2021-04-01 12:00:00", days[5], 8],
            ] as const,
            ([quarter, day, events]) =>
              Effect.all([
                store.command(
                  `INSERT INTO ${TABLES.activity15m} (tenant, quarter, user_id, action, events, quantity, last_at)
                   VALUES ('c', {quarter:String}, 'u_9', 'note.logged', {events:Int64}, {events:Int64}, {quarter:String})`,
                  { params: { quarter, events } },
                ),
                store.command(
                  `INSERT INTO ${TABLES.activityDaily} (tenant, zone, day, user_id, action, events, quantity, last_at)
                   VALUES ('c', {zone:String}, {day:Date}, 'u_9', 'note.logged', {events:Int64}, {events:Int64}, {quarter:String})`,
                  { params: { zone, quarter, day, events } },
                ),
              ]),
          )
        yield* history(
          "America/St_Johns",
          "2021-03-09",
          "2021-03-10",
          "2021-03-10",
          "2021-03-31",
          "2021-03-31",
          "2021-04-01",
        )
        const daysOf = store
          .query<{ text: string }>(
            `SELECT concatWithSeparator(' ', zone, toString(day), toString(sum(events)), toString(sum(quantity)), toString(max(last_at))) AS text
             FROM ${TABLES.activityDaily} WHERE tenant = 'c' AND user_id = 'u_9' GROUP BY zone, day ORDER BY day`,
          )
          .pipe(Effect.map((rows) => rows.map(({ text }) => text)))
        expect(yield* daysOf).toEqual([
          "America/St_Johns 2021-03-09 3 3 2021-03-10 02:45:00.000",
          "America/St_Johns 2021-03-10 8 8 2021-03-11 01:00:00.000",
          "America/St_Johns 2021-03-31 13 13 2021-04-01 01:00:00.000",
          "America/St_Johns 2021-04-01 8 8 2021-04-01 12:00:00.000",
        ])
        const inKolkata = [
          "Asia/Kolkata 2021-03-10 6 6 2021-03-10 04:30:00.000",
          "Asia/Kolkata 2021-03-11 5 5 2021-03-11 01:00:00.000",
          "Asia/Kolkata 2021-04-01 21 21 2021-04-01 12:00:00.000",
        ]
        yield* move("c", "Asia/Kolkata")
        yield* isIn("c", "Asia/Kolkata")
        expect(yield* daysOf).toEqual(inKolkata)
        // To and fro, and broken off.
        yield* move("c", "America/St_Johns")
        yield* isIn("c", "America/St_Johns")
        yield* move("c", "Asia/Kolkata")
        yield* Effect.sleep("300 millis")
        yield* kill(writer)
        yield* startWriter()
        yield* isIn("c", "Asia/Kolkata")
        expect(yield* daysOf).toEqual(inKolkata)
      }),
    { timeout: 90_000 },
  )

  it.effect(
    "that the store does not know keeps nobody else waiting, and is left for one that it knows",
    () =>
      Effect.gen(function* () {
        const { publish } = yield* Traffic
        const { startWriter, quiet } = yield* World
        const store = yield* ClickHouse
        const rowsOf = (tenant: Tenant) =>
          store
            .query<{ rows: number }>(
              `SELECT count() AS rows FROM ${TABLES.actions} WHERE tenant = {tenant:String}`,
              { params: { tenant } },
            )
            .pipe(Effect.map(([row]) => row?.rows))
        yield* publish("d", 20)
        const before = yield* startWriter()
        yield* quiet
        yield* kill(before)
        // As of an older version, which took whatever ICU takes.
        yield* insertRows([
          directoryRow(eventOf("d", "IST", `zone-${++version}`, Date.UTC(2026, 5, 1)), Date.UTC(2026, 5, 1)),
        ])
        const writer = yield* startWriter()
        yield* until(
          "it says so",
          Effect.sync(() => writer.log().includes("does not know the zone")),
        )
        yield* publish("e", 20)
        yield* publish("d", 20)
        yield* quiet
        expect([yield* rowsOf("e"), yield* rowsOf("d")]).toEqual([20, 40])
        // Nor does it keep the next owner from beginning.
        yield* kill(writer)
        yield* startWriter()
        yield* publish("e", 20)
        yield* quiet
        expect(yield* rowsOf("e")).toBe(40)
        yield* move("d", "Asia/Tokyo")
        yield* isIn("d", "Asia/Tokyo")
      }),
    { timeout: 90_000 },
  )
})
