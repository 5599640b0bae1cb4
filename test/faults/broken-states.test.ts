import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ClickHouse } from "#clickhouse"
import { BUCKETS, STREAMS, TABLES } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"
import { Publisher } from "#nats/publisher.ts"
import { StreamReader } from "#nats/reader.ts"
import { type ActionRow, Judge } from "../../pipeline/writer/action-row.ts"
import { insertActions } from "../../pipeline/writer/insert.ts"
import { Tombstones } from "../../pipeline/erase/tombstones.ts"
import { Zones } from "../../pipeline/writer/zones.ts"
import { ledgerRecord } from "../ledger-record.ts"
import { Expected } from "./expected.ts"
import { eventFor, publishZones } from "./single-events.ts"
import { World } from "./world.ts"

const RAW = ["whole", "partly there", "not there", "doubled"] as const
const ROLLUP = ["there", "missing", "doubled", "too late"] as const
/** A rollup that keeps earliest times can be one more. */
const CLIENTS = [...ROLLUP, "too early"] as const

type Raw = (typeof RAW)[number]
type Rollup = (typeof CLIENTS)[number]

/**
 * Every combination of raw and both rollups of members, each in a tenant of its own, and every one of raw and the
 * clients' rollup: a rollup is compared with raw alone, never with another rollup.
 */
const STATES = RAW.flatMap((raw, r) =>
  ROLLUP.flatMap((quarters, q) =>
    ROLLUP.map((days, d) => ({ raw, quarters, days, clients: CLIENTS[(r + q + 2 * d) % CLIENTS.length] })),
  ),
).map((state, n) => ({ ...state, tenant: `state-${n}` }))

/** The rollups that are broken, by the name of their state. */
const BROKEN = {
  quarters: TABLES.activity15m,
  days: TABLES.activityDaily,
  clients: TABLES.clientActivity15m,
} as const
const TABLE_NAMES = Object.values(BROKEN)

const EVENTS = 12
const LEASE = 60_000

/** What a broken insert may have left, made directly in the store. */
const breakRaw = Effect.fnUntraced(function* (raw: Raw, tenants: ReadonlyArray<string>) {
  const store = yield* ClickHouse
  const params = { tenants }
  const settings = { mutations_sync: "2" } as const
  if (raw === "partly there")
    yield* store.command(
      `ALTER TABLE ${TABLES.actions} DELETE WHERE tenant IN {tenants:Array(String)} AND cityHash64(id) % 3 = 0`,
      { params, settings },
    )
  if (raw === "not there")
    yield* store.command(`ALTER TABLE ${TABLES.actions} DELETE WHERE tenant IN {tenants:Array(String)}`, {
      params,
      settings,
    })
})

const breakRollup = Effect.fnUntraced(function* (
  table: string,
  state: Rollup,
  tenants: ReadonlyArray<string>,
) {
  const store = yield* ClickHouse
  const params = { tenants }
  if (state === "missing")
    yield* store.command(`ALTER TABLE ${table} DELETE WHERE tenant IN {tenants:Array(String)}`, {
      params,
      settings: { mutations_sync: "2" },
    })
  if (state === "doubled")
    yield* store.command(
      `INSERT INTO ${table} SELECT * FROM ${table} WHERE tenant IN {tenants:Array(String)}`,
      { params },
    )
  // A row that raw never kept: its latest time cannot be taken back by adding.
  if (state === "too late")
    yield* store.command(
      `INSERT INTO ${table} SELECT * REPLACE (1 AS events, 5 AS quantity, last_at + INTERVAL 1 SECOND AS last_at)
       FROM ${table} WHERE tenant IN {tenants:Array(String)} LIMIT 3 BY tenant`,
      { params },
    )
  if (state === "too early")
    yield* store.command(
      `INSERT INTO ${table} SELECT * REPLACE (0 AS events, 0 AS quantity, first_at - INTERVAL 1 SECOND AS first_at)
       FROM ${table} WHERE tenant IN {tenants:Array(String)} LIMIT 3 BY tenant`,
      { params },
    )
})

layer(World.layer, { excludeTestServices: true, timeout: "120 seconds" })("the repair", (it) => {
  it.effect(
    "brings every state that a broken insert can leave to what was published",
    () =>
      Effect.gen(function* () {
        const world = yield* World
        const { connection, manager, kv } = yield* Nats
        const store = yield* ClickHouse
        const publisher = Publisher.open(connection)
        const expected = new Expected()
        yield* Effect.promise(() =>
          publishZones(
            publisher,
            STATES.map(({ tenant }) => tenant),
          ),
        )
        for (const { tenant } of STATES)
          for (let n = 1; n <= EVENTS; n++) {
            const { sent, message } = eventFor(tenant, n)
            expected.add(sent)
            yield* Effect.promise(() => publisher.publish(message))
          }

        // The rows as a writer would have made them, inserted once with all views …
        const zones = new Zones()
        for (const { tenant } of STATES) zones.set(tenant, "Asia/Kathmandu", 1, "zone")
        const judge = new Judge({ maxClockAhead: 1000, maxAge: 90 * 86_400_000 }, zones, new Tombstones())
        const total = STATES.length * EVENTS
        const rows = yield* Effect.callback<ReadonlyArray<ActionRow>>((resume) => {
          const read: Array<ActionRow> = []
          const reader = StreamReader.open(connection, manager, {
            stream: STREAMS.actions,
            from: 1,
            window: 1000,
            windowBytes: 1024 * 1024,
            onMessage: (message) => {
              const judged = judge.judge(message)
              if (judged.ok) read.push(judged.row)
              if (read.length < total) return
              reader.stop()
              resume(Effect.succeed(read))
            },
          })
        })
        const info = yield* Effect.promise(() => manager.streams.info(STREAMS.actions))
        const record = ledgerRecord(STREAMS.actions, {
          created: info.created,
          horizon: total,
          duplicate_window: 4000,
          max_clock_ahead: 1000,
          owner: "broken",
          lease_until: Date.now() + LEASE,
        })
        yield* insertActions(rows, record, { ignoreViews: false })
        // … and once more, raw alone, where it stands twice.
        const doubled = new Set(STATES.filter(({ raw }) => raw === "doubled").map(({ tenant }) => tenant))
        for (const table of TABLE_NAMES) yield* store.command(`DETACH TABLE ${table}_view`)
        yield* insertActions(
          rows.filter(({ tenant }) => doubled.has(tenant)),
          record,
          { ignoreViews: false },
        )
        for (const table of TABLE_NAMES) yield* store.command(`ATTACH TABLE ${table}_view`)
        const tenantsOf = (isOne: (state: (typeof STATES)[number]) => boolean) =>
          STATES.filter(isOne).map(({ tenant }) => tenant)
        for (const state of CLIENTS)
          for (const [name, table] of Object.entries(BROKEN))
            yield* breakRollup(
              table,
              state,
              tenantsOf((one) => one[name as keyof typeof BROKEN] === state),
            )
        for (const state of RAW)
          yield* breakRaw(
            state,
            tenantsOf(({ raw }) => raw === state),
          )
        const before = yield* expected.differences()
        expect(before.length).toBeGreaterThan(STATES.length)

        yield* Effect.promise(async () =>
          (await kv.open(BUCKETS.ledger)).put(STREAMS.actions, JSON.stringify({ ...record, lease_until: 0 })),
        )
        yield* world.startWriter()
        yield* world.quiet
        expect(yield* expected.differences()).toEqual([])
        yield* Effect.promise(() => publisher.close())
      }),
    { timeout: 120_000 },
  )
})
