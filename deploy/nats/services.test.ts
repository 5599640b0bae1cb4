// The services' users at a real server: what each one needs it may, and no more.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { jetstream } from "@nats-io/jetstream"
import { connect, type NatsConnection } from "@nats-io/transport-node"
import { Effect, Exit, Scope } from "effect"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { createKey } from "../../api/auth/keys.ts"
import { BUCKETS, STREAMS, SUBJECTS } from "#schemas/names.ts"
import { freePort } from "../../test/free-port.ts"
import { temporaryFolder } from "../../test/temporary-folder.ts"
import { natsOf, wholeStack } from "../services.ts"
import { natsUrlOf, readSettings, type Settings } from "../settings.ts"
import { NATS_SERVICES, type NatsService, natsUser, readPasswords } from "./passwords.ts"

const scope = Effect.runSync(Scope.make())
const connections = new Map<NatsService, NatsConnection>()
let settings: Settings

beforeAll(async () => {
  const start = Effect.gen(function* () {
    const dataDir = yield* temporaryFolder
    const [nats, http, tcp, api, writer] = yield* Effect.all([
      freePort,
      freePort,
      freePort,
      freePort,
      freePort,
    ])
    settings = readSettings({
      TIDEMARK_DATA_DIR: dataDir,
      NATS_ANONYMOUS: "no",
      TIDEMARK_PARTITIONS: "3",
      NATS_PORT: String(nats),
      CLICKHOUSE_HTTP_PORT: String(http),
      CLICKHOUSE_TCP_PORT: String(tcp),
      API_PORT: String(api),
      WRITER_PORT: String(writer),
    })
    yield* wholeStack(settings)
  })
  await Effect.runPromise(Scope.provide(start, scope))
  for (const service of NATS_SERVICES)
    connections.set(
      service,
      await connect({
        servers: natsUrlOf(settings),
        user: natsUser(service),
        pass: readPasswords(settings.dataDir)?.[service] ?? "",
      }),
    )
})

afterAll(async () => {
  await Promise.all([...connections.values()].map((connection) => connection.close()))
  await Effect.runPromise(Scope.close(scope, Exit.void))
})

it("nobody comes in without one", async () => {
  await expect(connect({ servers: natsUrlOf(settings), reconnect: false })).rejects.toThrow(
    /authorization violation/iu,
  )
})

it("an event passes from the API through the stream and the writer into a report", async () => {
  const tenant = "acme"
  const key = await Effect.runPromise(
    createKey({ tenant, role: "super_admin" }).pipe(Effect.provide(natsOf(settings, "keys"))),
  )
  const url = `http://127.0.0.1:${settings.apiPort}`
  const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" }
  const time = new Date(Date.now() - 1000).toISOString()
  const envelope = { specversion: "1.0", source: "/test", time, tenantid: tenant }
  const sent = await fetch(`${url}/v1/events`, {
    method: "POST",
    headers,
    body: JSON.stringify({
      ...envelope,
      id: "e-1",
      type: "user.logged_in",
      data: { actor_id: "u_1", actor_type: "member" },
    }),
  })
  expect(sent.status).toBe(202)
  const directory = await fetch(`${url}/v1/directory/batch`, {
    method: "POST",
    headers,
    body: JSON.stringify([
      {
        ...envelope,
        id: "d-1",
        type: "user.upserted",
        data: { user_id: "u_1", kind: "member", name: "Ana", email: "ana@acme.example", team_ids: [] },
      },
    ]),
  })
  expect(directory.status).toBe(202)
  // A message that no rule takes, so that the writer sends a dead letter.
  await jetstream(connections.get("operator") as NatsConnection).publish(
    "actions.v1.acme.user.logged_in",
    "{",
    { msgID: "acme:bad" },
  )
  const today = time.slice(0, 10)
  await vi.waitFor(
    async () => {
      const log = await fetch(`${url}/v1/actions?from=${today}&to=${today}`, { headers })
      expect(await log.json()).toMatchObject({ data: [{ id: "e-1", actor: { name: "Ana" } }] })
    },
    { timeout: 20_000, interval: 200 },
  )
  const manager = await import("@nats-io/jetstream").then(({ jetstreamManager }) =>
    jetstreamManager(connections.get("operator") as NatsConnection),
  )
  await vi.waitFor(
    async () => expect((await manager.streams.info(STREAMS.deadLetters)).state.messages).toBe(1),
    { timeout: 10_000 },
  )
  await vi.waitFor(
    async () => {
      const metrics = await fetch(`http://127.0.0.1:${settings.writerPort}/metrics`)
      expect(await metrics.text()).toContain("\ntidemark_dead_letters_open 1\n")
    },
    { timeout: 40_000, interval: 500 },
  )
}, 90_000)

it("an export passes from the API through the queue and the exporter to whoever asked", async () => {
  const key = await Effect.runPromise(
    createKey({ tenant: "globex", role: "super_admin" }).pipe(Effect.provide(natsOf(settings, "keys"))),
  )
  const url = `http://127.0.0.1:${settings.apiPort}/v1/exports`
  const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" }
  const ask = async () => {
    const body = JSON.stringify({
      report: "user_actions",
      format: "csv",
      from: "2026-11-01",
      to: "2026-11-07",
    })
    const asked = await fetch(url, { method: "POST", headers, body })
    expect(asked.status).toBe(202)
    return `http://127.0.0.1:${settings.apiPort}${asked.headers.get("Location")}`
  }
  const one = await ask()
  await vi.waitFor(
    async () => {
      const job = await fetch(one, { headers })
      expect(await job.json()).toMatchObject({ data: { state: "completed", attempts: 1, rows: 0 } })
    },
    { timeout: 20_000, interval: 200 },
  )
  const file = await fetch(`${one}/download`, { headers })
  expect(await file.text()).toMatch(/^"client_name","client_id",/u)
  const listed = await fetch(url, { headers })
  expect(await listed.json()).toMatchObject({ data: [{ state: "completed" }] })
  const removed = await fetch(one, { method: "DELETE", headers })
  expect(await removed.json()).toMatchObject({ data: { state: "expired" } })
  expect((await fetch(`${one}/download`, { headers })).status).toBe(410)
})

it("an export is asked for, made, kept and handed out", async () => {
  const key = await Effect.runPromise(
    createKey({ tenant: "acme", role: "super_admin" }).pipe(Effect.provide(natsOf(settings, "keys"))),
  )
  const url = `http://127.0.0.1:${settings.apiPort}`
  const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" }
  const today = new Date().toISOString().slice(0, 10)
  const asked = await fetch(`${url}/v1/exports`, {
    method: "POST",
    headers,
    body: JSON.stringify({ report: "user_actions", format: "ndjson", from: today, to: today }),
  })
  expect(asked.status, await asked.clone().text()).toBe(202)
  const job = `${url}${asked.headers.get("Location")}`
  await vi.waitFor(
    async () =>
      expect(await (await fetch(job, { headers })).json()).toMatchObject({
        data: { state: "completed", rows: 1 },
      }),
    { timeout: 20_000, interval: 200 },
  )
  const file = await fetch(`${job}/download`, { headers })
  expect(await file.text()).toContain("ana@acme.example")
  const list = await fetch(`${url}/v1/exports`, { headers })
  expect(await list.json()).toMatchObject({ data: [{ state: "completed" }] })
  expect((await fetch(job, { method: "DELETE", headers })).status).toBeLessThan(300)
})

/**
 * Subjects that a service must not publish to. Of an event's subject the server tells under the one that it maps it to, and what
 * the writer may send on to a stream it may send through the mapping, too.
 */
const REFUSED: Readonly<Record<Exclude<NatsService, "operator">, ReadonlyArray<string>>> = {
  writer: [
    "actions.v1.acme.not_mapped",
    "directory.v1.acme.user.upserted",
    "$KV.api-keys.x",
    "$KV.grants.acme",
    "$JS.API.STREAM.DELETE.ACTIONS",
    "$JS.API.STREAM.PURGE.ACTIONS",
    "$JS.API.STREAM.MSG.DELETE.ACTIONS",
    "$JS.API.STREAM.MSG.GET.KV_api-keys",
    "$JS.API.DIRECT.GET.KV_api-keys.$KV.api-keys.x",
  ],
  api: [
    "dead.v1.acme.invalid_json",
    "$KV.ledger.ACTIONS",
    "$JS.API.STREAM.DELETE.ACTIONS",
    "$JS.API.STREAM.UPDATE.ACTIONS",
    "$JS.API.STREAM.PURGE.ACTIONS",
    "$JS.API.STREAM.PURGE.KV_ledger",
    "$JS.API.CONSUMER.CREATE.ACTIONS",
    "$JS.API.STREAM.MSG.DELETE.DEAD_LETTERS",
  ],
  exporter: [
    "actions.v1.acme.not_mapped",
    "directory.v1.acme.user.upserted",
    "dead.v1.acme.invalid_json",
    "$KV.ledger.ACTIONS",
    "$KV.api-keys.x",
    "$KV.grants.acme",
    "$JS.API.STREAM.DELETE.ACTIONS",
    "$JS.API.STREAM.PURGE.ACTIONS",
    "$JS.API.STREAM.MSG.GET.KV_api-keys",
    "$JS.API.CONSUMER.CREATE.ACTIONS",
  ],
}

describe.each(Object.entries(REFUSED))("the %s", (service, subjects) => {
  it.each([...subjects])("may not publish to %s", async (subject) => {
    const connection = connections.get(service as NatsService)
    await expect(connection?.request(subject, "{}", { timeout: 1000 })).rejects.toThrow(
      "Permissions Violation",
    )
  })
  it("listens to nothing but answers", async () => {
    const connection = connections.get(service as NatsService)
    const said = new Promise<string>((resolve) =>
      connection?.subscribe("actions.v1.>", {
        callback: (error) => resolve(error?.name ?? "a message"),
      }),
    )
    expect(await said).toBe("PermissionViolationError")
  })
})

describe("services.conf", () => {
  const text = readFileSync(join(import.meta.dirname, "services.conf"), "utf8")
  // Tombstones are the operator's alone, who may write everything.
  const written = Object.values(BUCKETS).filter((bucket) => bucket !== BUCKETS.tombstones)
  it.each(written)("names who writes the bucket %s", (bucket) => {
    expect(text).toContain(`"$KV.${bucket}.>"`)
  })
  it.each(Object.values(SUBJECTS))("names who publishes to %s", (subject) => {
    expect(text).toContain(`"${subject}.>"`)
  })
  it.each(NATS_SERVICES)("has the user of the %s, whose password comes from outside", (service) => {
    expect(text).toContain(`user: ${natsUser(service)}`)
    expect(text).toContain(`password: $NATS_${service.toUpperCase()}_PASSWORD`)
  })
})
