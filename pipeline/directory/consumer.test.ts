import { expect, layer } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { ClickHouse } from "#clickhouse"
import { directorySubject, messageId, STREAMS, TABLES } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"
import { Publisher } from "#nats/publisher.ts"
import { inject } from "vitest"
import { until } from "../../test/faults/until.ts"
import { broker } from "../../test/services.ts"
import { Zones } from "../writer/zones.ts"
import { runDirectory } from "./consumer.ts"

const TENANT = "directory-consumer"

const event = (type: string, id: string, time: string, data: object) => ({
  specversion: "1.0",
  id,
  source: "/test",
  type,
  time,
  tenantid: TENANT,
  data,
})

const user = (id: string, time: string, name: string, more: object = {}) =>
  event("user.upserted", id, time, {
    user_id: "u_1",
    kind: "member",
    name,
    email: `${name}@example.org`,
    team_ids: ["t_1"],
    ...more,
  })

/** Publishes the events, applies the stream from where the store's rows end, and returns what is read back. */
const apply = Effect.fnUntraced(function* (
  events: ReadonlyArray<ReturnType<typeof event>>,
  zones = new Zones(),
) {
  const { connection } = yield* Nats
  const store = yield* ClickHouse
  const publisher = Publisher.open(connection)
  yield* Effect.promise(async () => {
    for (const one of events)
      await publisher.publish({
        subject: directorySubject(TENANT, one.type),
        messageId: messageId(TENANT, one.id),
        payload: Buffer.from(JSON.stringify(one)),
      })
    await publisher.close()
  })
  const caughtUp = Promise.withResolvers<void>()
  const fiber = yield* Effect.forkChild(
    runDirectory({ maxClockAhead: 1000 }, zones, () => caughtUp.resolve()),
  )
  yield* Effect.promise(() => caughtUp.promise)
  yield* Fiber.interrupt(fiber)
  const rows = yield* store.query<{
    kind: string
    teams: ReadonlyArray<string>
    name: string
    email: string
    erased: boolean
  }>(
    `SELECT record.kind AS kind, record.team_ids AS teams, personal.name AS name, personal.email AS email,
       personal.erased AS erased
     FROM (SELECT max(record) AS record, max(personal) AS personal FROM tidemark.directory_users
       WHERE tenant = {tenant:String} AND user_id = 'u_1' GROUP BY user_id)`,
    { params: { tenant: TENANT } },
  )
  return rows[0]
})

const store = Layer.suspend(() =>
  ClickHouse.layer({ url: inject("clickhouseUrl"), user: "tidemark_writer", password: "" }),
)

layer(Layer.mergeAll(broker, store), { excludeTestServices: true })("the directory", (it) => {
  it.effect("keeps the newest by time, then by event id, whatever the order of arrival", () =>
    Effect.gen(function* () {
      const row = yield* apply([
        user("a-2", "2026-02-01T00:00:00Z", "Newer"),
        user("a-1", "2026-01-01T00:00:00Z", "Older"),
        user("b-2", "2026-02-02T00:00:00Z", "Greater", { team_ids: [] }),
        user("b-1", "2026-02-02T00:00:00Z", "Smaller"),
      ])
      // A cleared list stays cleared: the record is read whole.
      expect(row).toEqual({
        kind: "member",
        teams: [],
        name: "Greater",
        email: "Greater@example.org",
        erased: false,
      })
    }),
  )

  it.effect("forgets whom it was told to erase, for ever, and not where that person belonged", () =>
    Effect.gen(function* () {
      const row = yield* apply([
        event("user.erased", "c-1", "2026-03-01T00:00:00Z", { user_id: "u_1" }),
        user("c-2", "2026-04-01T00:00:00Z", "Back", { team_ids: ["t_2"] }),
      ])
      expect(row).toEqual({ kind: "member", teams: ["t_2"], name: "", email: "", erased: true })
    }),
  )

  it.effect("tells the writer a tenant's newest zone, and remembers it", () =>
    Effect.gen(function* () {
      const told = new Zones()
      const zone = (id: string, time: string, time_zone: string) =>
        event("tenant.upserted", id, time, { name: TENANT, time_zone })
      yield* apply(
        [zone("z-2", "2026-02-01T00:00:00Z", "Asia/Kathmandu"), zone("z-1", "2026-01-01T00:00:00Z", "UTC")],
        told,
      )
      expect(told.of(TENANT)).toBe("Asia/Kathmandu")
      const remembered = new Zones()
      yield* apply([], remembered)
      expect(remembered.of(TENANT)).toBe("Asia/Kathmandu")
      expect(remembered.of("nobody")).toBe("UTC")
    }),
  )

  it.effect("knows a zone that another process applies while this one begins", () =>
    Effect.gen(function* () {
      const real = yield* ClickHouse
      const zone = event("tenant.upserted", "y-1", "2026-03-01T00:00:00Z", {
        name: TENANT,
        time_zone: "America/St_Johns",
      })
      let isApplied = false
      /** The other applies it all between two of this one's questions: when this one has just asked for the zones. */
      const store = ClickHouse.of({
        ...real,
        query: <Row>(...asked: Parameters<typeof real.query>) =>
          Effect.gen(function* () {
            const rows = yield* real.query<Row>(...asked)
            if (!isApplied && asked[0].includes(TABLES.tenants)) {
              isApplied = true
              yield* Effect.orDie(Effect.provideService(apply([zone]), ClickHouse, real))
            }
            return rows
          }).pipe(Effect.provideService(Nats, nats)),
      })
      const nats = yield* Nats
      const zones = new Zones()
      yield* Effect.forkScoped(
        Effect.provideService(
          runDirectory({ maxClockAhead: 1000 }, zones, () => undefined),
          ClickHouse,
          store,
        ),
      )
      yield* until(
        "the zone",
        Effect.sync(() => zones.of(TENANT) === "America/St_Johns"),
        10,
      )
    }),
  )

  it.effect("keeps every version of a target, and who set it", () =>
    Effect.gen(function* () {
      const target = (id: string, time: string, value: number | null, more: object = {}) =>
        event("target.set", id, time, {
          metric: "notes_logged",
          period: "week",
          scope: "team_members",
          team_id: "t_1",
          holds_from: "2026-03-02",
          value,
          ...more,
        })
      yield* apply([
        target("t-2", "2026-02-02T00:00:00Z", 30, { set_by: "u_9" }),
        target("t-1", "2026-02-01T00:00:00Z", 20),
        target("t-3", "2026-02-03T00:00:00Z", null, { holds_from: "2026-04-06" }),
        event("target.set", "t-4", "2026-02-01T00:00:00Z", {
          metric: "active_days",
          period: "month",
          scope: "everyone",
          holds_from: "2026-03-01",
          value: 15,
        }),
      ])
      const store = yield* ClickHouse
      const rows = yield* store.query(
        `SELECT scope, scope_id, metric, period, toString(holds_from) AS day, event_id, value, set_by
         FROM tidemark.directory_targets FINAL WHERE tenant = {tenant:String} ORDER BY event_id`,
        { params: { tenant: TENANT } },
      )
      const team = { scope: "team_members", scope_id: "t_1", metric: "notes_logged", period: "week" }
      expect(rows).toEqual([
        { ...team, day: "2026-03-02", event_id: "t-1", value: 20, set_by: "" },
        { ...team, day: "2026-03-02", event_id: "t-2", value: 30, set_by: "u_9" },
        { ...team, day: "2026-04-06", event_id: "t-3", value: null, set_by: "" },
        {
          scope: "everyone",
          scope_id: "",
          metric: "active_days",
          period: "month",
          day: "2026-03-01",
          event_id: "t-4",
          value: 15,
          set_by: "",
        },
      ])
    }),
  )

  it.effect("buries what it cannot apply and goes on", () =>
    Effect.gen(function* () {
      const { manager } = yield* Nats
      const count = Effect.promise(async () => {
        const { state } = await manager.streams.info(STREAMS.deadLetters, {
          subjects_filter: `dead.v1.${TENANT}.invalid_event`,
        })
        return Object.values(state.subjects ?? {}).reduce((total, n) => total + n, 0)
      })
      const before = yield* count
      const row = yield* apply([
        user("d-1", "2026-05-01T00:00:00Z", "Typo", { emial: "x" }),
        user("d-2", "2026-05-02T00:00:00Z", "After", { team_ids: ["t_3"] }),
      ])
      expect(row?.teams).toEqual(["t_3"])
      expect((yield* count) - before).toBe(1)
    }),
  )
})
