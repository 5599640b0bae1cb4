import { randomBytes } from "node:crypto"
import { expect, layer } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { inject } from "vitest"
import { ClickHouse } from "#clickhouse"
import type { AuditRecord } from "#schemas/audit.ts"
import { auditSubject, messageId, STREAMS, TABLES } from "#schemas/names.ts"
import { attemptNats, Nats } from "#nats/connection.ts"
import { broker } from "../../test/services.ts"
import { runAuditLog } from "./consumer.ts"

const newTenant = (): string => `t-${randomBytes(6).toString("hex")}`

const recordOf = (tenant: string, id: string): AuditRecord => ({
  id,
  at: "2026-11-02T09:30:00.125Z",
  tenant,
  actor: { kind: "key", id: "k_1", name: "Dashboard", user: "u_1", role: "super_admin" },
  action: "report.viewed",
  route: "GET /v1/actions",
  filters: { client_id: ["c'1"] },
  request_id: "r",
  outcome: "ok",
})

const publish = (tenant: string, payload: string, id: string) =>
  Effect.flatMap(Nats, ({ jetstream }) =>
    attemptNats("publish", () =>
      jetstream.publish(auditSubject(tenant), payload, { msgID: messageId(tenant, id) }),
    ),
  )

/** Applies what the stream holds, from where the store's rows end. */
const catchUp = Effect.gen(function* () {
  const caughtUp = Promise.withResolvers<void>()
  const fiber = yield* Effect.forkChild(runAuditLog(() => caughtUp.resolve()))
  yield* Effect.promise(() => caughtUp.promise)
  yield* Fiber.interrupt(fiber)
})

const stored = (tenant: string) =>
  Effect.flatMap(ClickHouse, (store) =>
    store.query<Readonly<Record<string, unknown>>>(
      `SELECT * FROM ${TABLES.auditLog} FINAL WHERE tenant = {tenant:String} ORDER BY at, id`,
      { params: { tenant } },
    ),
  )

const store = Layer.suspend(() =>
  ClickHouse.layer({ url: inject("clickhouseUrl"), user: "tidemark_writer", password: "" }),
)

layer(Layer.mergeAll(broker, store), { excludeTestServices: true })("the audit log", (it) => {
  it.effect("holds what the stream holds", () =>
    Effect.gen(function* () {
      const tenant = newTenant()
      yield* publish(tenant, JSON.stringify(recordOf(tenant, "1")), "1")
      yield* catchUp
      expect(yield* stored(tenant)).toEqual([
        {
          tenant,
          at: "2026-11-02T09:30:00.125Z",
          id: "1",
          actor_kind: "key",
          actor_id: "k_1",
          actor_name: "Dashboard",
          actor_user: "u_1",
          actor_role: "super_admin",
          action: "report.viewed",
          route: "GET /v1/actions",
          subject: "",
          filters: `{"client_id":["c'1"]}`,
          request_id: "r",
          outcome: "ok",
        },
      ])
    }),
  )

  it.effect("holds a record once, however often it was applied", () =>
    Effect.gen(function* () {
      const tenant = newTenant()
      const { manager } = yield* Nats
      const store = yield* ClickHouse
      yield* publish(tenant, JSON.stringify(recordOf(tenant, "1")), "1")
      yield* publish(tenant, JSON.stringify(recordOf(tenant, "2")), "2")
      yield* catchUp
      // As if the store had died between the rows and its position.
      const { created } = yield* Effect.promise(() => manager.streams.info(STREAMS.audit))
      const migrator = ClickHouse.layer({
        url: inject("clickhouseUrl"),
        user: "tidemark_migrator",
        password: "",
      })
      yield* Effect.flatMap(ClickHouse, (own) => own.command(`TRUNCATE TABLE ${TABLES.auditProgress}`)).pipe(
        Effect.provide(migrator),
      )
      yield* catchUp
      expect((yield* stored(tenant)).map(({ id }) => id)).toEqual(["1", "2"])
      const [{ applied = 0 } = {}] = yield* store.query<{ applied?: number }>(
        `SELECT max(stream_seq) AS applied FROM ${TABLES.auditProgress} WHERE created = {created:String}`,
        { params: { created } },
      )
      expect(applied).toBeGreaterThan(0)
    }),
  )

  it.effect("buries what is no record, or another tenant's, and goes on", () =>
    Effect.gen(function* () {
      const tenant = newTenant()
      const { manager } = yield* Nats
      yield* publish(tenant, "{", "a")
      yield* publish(tenant, JSON.stringify({ ...recordOf(tenant, "b"), at: "yesterday" }), "b")
      yield* publish(tenant, JSON.stringify(recordOf("another", "c")), "c")
      yield* publish(tenant, JSON.stringify(recordOf(tenant, "d")), "d")
      yield* catchUp
      expect((yield* stored(tenant)).map(({ id }) => id)).toEqual(["d"])
      const { state } = yield* Effect.promise(() =>
        manager.streams.info(STREAMS.deadLetters, { subjects_filter: `dead.v1.${tenant}.*` }),
      )
      expect(state.subjects).toEqual({
        [`dead.v1.${tenant}.invalid_event`]: 2,
        [`dead.v1.${tenant}.tenant_mismatch`]: 1,
      })
    }),
  )
})
