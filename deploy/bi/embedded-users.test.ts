// BI users of the embedded server: made, given new passwords and taken back while everything runs.
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Publisher } from "#nats/publisher.ts"
import { Nats } from "#nats/connection.ts"
import { actionSubject, BUCKETS, directorySubject, messageId } from "#schemas/names.ts"
import { ask, type Asking } from "../../test/ask-store.ts"
import { freePort } from "../../test/free-port.ts"
import { eventually } from "../../test/processes.ts"
import { temporaryFolder } from "../../test/temporary-folder.ts"
import { natsOf, wholeStack } from "../services.ts"
import { clickhouseUrlOf, readSettings, type Settings } from "../settings.ts"
import { createBiUser, knowsTenant, listBiUsers, markHiddenNames, revokeBiUsers } from "./manage.ts"
import { codeOf } from "./test-tenants.ts"

const AUTHENTICATION_FAILED = 516

/** Everything in this process, on free ports and an empty folder. */
const stack = Effect.gen(function* () {
  const dataDir = yield* temporaryFolder
  const ports = yield* Effect.all([freePort, freePort, freePort, freePort, freePort])
  const [nats, http, tcp, api, writer] = ports.map(String)
  const settings = readSettings({
    TIDEMARK_DATA_DIR: dataDir,
    NATS_PORT: nats,
    CLICKHOUSE_HTTP_PORT: http,
    CLICKHOUSE_TCP_PORT: tcp,
    API_PORT: api,
    WRITER_PORT: writer,
  })
  yield* wholeStack(settings)
  return settings
})

const tenant = "acme"
const EVENTS = 3000

const send = (publisher: Publisher, type: string, id: string, data: object) =>
  publisher.publish({
    subject: (type === "note.logged" ? actionSubject : directorySubject)(tenant, type),
    messageId: messageId(tenant, id),
    payload: Buffer.from(
      JSON.stringify({
        specversion: "1.0",
        id,
        source: "/test",
        type,
        time: new Date().toISOString(),
        tenantid: tenant,
        data,
      }),
    ),
  })

/** Events for as long as it takes to make a user. */
const publish = (settings: Settings) =>
  Effect.gen(function* () {
    const { connection } = yield* Nats
    yield* Effect.promise(async () => {
      const publisher = Publisher.open(connection)
      await send(publisher, "user.upserted", "d-1", {
        user_id: "u",
        kind: "member",
        name: "Ana",
        email: "a@b.c",
        team_ids: [],
      })
      for (let n = 0; n < EVENTS; n += 10) {
        await Promise.all(
          Array.from({ length: 10 }, (_, i) =>
            send(publisher, "note.logged", `e-${n + i}`, {
              actor_id: "u",
              actor_type: "member",
              contact_id: "p",
            }),
          ),
        )
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      await publisher.close()
    })
  }).pipe(Effect.provide(natsOf(settings, "operator")))

const tellOfTenant = (settings: Settings) =>
  Effect.gen(function* () {
    const { connection } = yield* Nats
    yield* Effect.promise(async () => {
      const publisher = Publisher.open(connection)
      await send(publisher, "tenant.upserted", "d-2", { name: "Acme", time_zone: "UTC" })
      await publisher.close()
    })
  }).pipe(Effect.provide(natsOf(settings, "operator")))

const hideNames = (settings: Settings) =>
  Effect.gen(function* () {
    const { kv } = yield* Nats
    yield* Effect.promise(async () =>
      (await kv.open(BUCKETS.tenantSettings)).put(tenant, '{"hide_names":true}'),
    )
  }).pipe(Effect.provide(natsOf(settings, "operator")))

describe("a BI user of the embedded server", () => {
  it.live(
    "is there when the command returns, and no event is lost or counted twice for it",
    () =>
      Effect.gen(function* () {
        const settings = yield* stack
        const url = clickhouseUrlOf(settings)
        const as = ({ user, password }: { readonly user: string; readonly password: string }): Asking => ({
          user,
          password,
          url,
        })
        const publishing = yield* Effect.forkChild(publish(settings))

        const first = yield* createBiUser(settings, { tenant, names: true })
        expect(first).toMatchObject({ user: "bi_acme", names: true, works: true })
        expect(yield* Effect.promise(() => codeOf("SELECT count() FROM users", as(first)))).toBe(0)

        const second = yield* createBiUser(settings, { tenant, name: "grafana", names: false })
        expect(second).toMatchObject({ user: "bi_acme_grafana", names: false, works: true })
        expect(yield* Effect.promise(() => codeOf("SELECT count() FROM bi.users", as(second)))).toBe(497)
        expect(yield* listBiUsers(settings)).toEqual([
          { user: "bi_acme", tenant, names: true },
          { user: "bi_acme_grafana", tenant, names: false },
        ])

        yield* Fiber.join(publishing)
        const counted = async () => {
          const [row] = await ask("SELECT toUInt32(sum(quantity)) AS notes FROM bi.user_daily", as(second))
          return row?.["notes"]
        }
        yield* eventually(async () => (await counted()) === EVENTS, 60)

        expect(yield* knowsTenant(settings, second.user, second.password)).toBe(false)
        yield* tellOfTenant(settings)
        yield* eventually(
          () => Effect.runPromise(knowsTenant(settings, second.user, second.password)).then(Boolean),
          60,
        )

        const hidden = (tenant_hides_names: boolean) =>
          Effect.gen(function* () {
            const users = yield* markHiddenNames(settings, yield* listBiUsers(settings))
            expect(users).toMatchObject([
              { user: "bi_acme", names: true, tenant_hides_names },
              { user: "bi_acme_grafana", names: false, tenant_hides_names },
            ])
          })
        yield* hidden(false)
        yield* hideNames(settings)
        yield* hidden(true)
        const again = yield* createBiUser(settings, { tenant, names: true })
        expect(again).toMatchObject({ user: "bi_acme", names: false })
        expect(yield* Effect.promise(() => codeOf("SELECT 1", as(first)))).toBe(AUTHENTICATION_FAILED)
        expect(yield* Effect.promise(() => codeOf("SELECT count() FROM bi.users", as(again)))).toBe(497)

        expect(yield* revokeBiUsers(settings, { tenant })).toEqual({
          users: ["bi_acme_grafana", "bi_acme"],
          works: true,
        })
        for (const gone of [again, second])
          expect(yield* Effect.promise(() => codeOf("SELECT 1", as(gone)))).toBe(AUTHENTICATION_FAILED)
        expect(yield* Effect.flip(revokeBiUsers(settings, { tenant }))).toMatchObject({ reason: "not_found" })
      }).pipe(Effect.scoped),
    180_000,
  )
})
