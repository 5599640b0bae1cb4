// Users of tenants at a real server with the configuration that embedded and deployed servers share.
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { jetstream, jetstreamManager } from "@nats-io/jetstream"
import { connect, type NatsConnection, nkeyAuthenticator, nkeys } from "@nats-io/transport-node"
import { Effect, Exit, Scope } from "effect"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { Nats } from "#nats/connection.ts"
import { Publisher } from "#nats/publisher.ts"
import { ensureTopology } from "#nats/topology.ts"
import { STREAMS } from "#schemas/names.ts"
import { ROOT } from "../../test/compose.ts"
import { freePort } from "../../test/free-port.ts"
import { embeddedNats } from "../engines/nats.ts"
import { readSettings } from "../settings.ts"
import { createTenantUser, revokeTenantUsers, type Whom } from "./manage.ts"
import { readPasswords } from "./passwords.ts"
import { renderAccounts, usersFolder, writeTenantUsers } from "./tenants.ts"

const scope = Effect.runSync(Scope.make())
const dataDir = mkdtempSync(join(tmpdir(), "tidemark-users-"))
const pairs = { acme: nkeys.createUser(), globex: nkeys.createUser() }
const open: Array<NatsConnection> = []
let port: number
let operator: NatsConnection
let acme: NatsConnection
let globex: NatsConnection

const connected = async (options: object): Promise<NatsConnection> => {
  const connection = await connect({
    servers: `nats://127.0.0.1:${port}`,
    timeout: 2000,
    reconnect: false,
    ...options,
  })
  open.push(connection)
  return connection
}
const asSeed = (seed: Uint8Array) => connected({ authenticator: nkeyAuthenticator(seed) })
const asOperator = () => ({ user: "tidemark_operator", pass: readPasswords(dataDir)?.operator ?? "" })

beforeAll(async () => {
  port = await Effect.runPromise(freePort)
  writeTenantUsers(
    usersFolder(dataDir),
    Object.entries(pairs).map(([tenant, pair]) => ({
      tenant,
      public_key: pair.getPublicKey(),
      created_at: "2026-11-22T00:00:00Z",
    })),
  )
  await Effect.runPromise(embeddedNats({ dataDir, port, anonymous: false }).pipe(Scope.provide(scope)))
  operator = await connected(asOperator())
  acme = await asSeed(pairs.acme.getSeed())
  globex = await asSeed(pairs.globex.getSeed())
  const { user, pass } = asOperator()
  await Effect.runPromise(
    ensureTopology({ duplicateWindow: 60_000, actionsMaxAge: 86_400_000, replicas: 1, partitions: 1 }).pipe(
      Effect.provide(Nats.layer({ url: `nats://127.0.0.1:${port}`, name: "test", user, password: pass })),
    ),
  )
})

afterAll(async () => {
  await Promise.all(open.map((connection) => connection.close()))
  await Effect.runPromise(Scope.close(scope, Exit.void))
  rmSync(dataDir, { recursive: true, force: true })
})

/** What the stream holds, by subject. */
const held = async (stream: string): Promise<Readonly<Record<string, number>>> => {
  const manager = await jetstreamManager(operator)
  const { state } = await manager.streams.info(stream, { subjects_filter: ">" })
  return state.subjects ?? {}
}

/** What the server says to a subscription. */
const subscribed = async (connection: NatsConnection, subject: string): Promise<string> => {
  const { promise, resolve } = Promise.withResolvers<string>()
  const subscription = connection.subscribe(subject, {
    callback: (error) => resolve(error === null ? "message" : error.name),
  })
  await connection.flush()
  setTimeout(() => resolve("taken"), 100)
  const said = await promise
  if (said === "taken" || said === "message") subscription.unsubscribe()
  return said
}

describe("a tenant's user", () => {
  it("sends actions and directory events of its own, each acknowledged", async () => {
    const js = jetstream(acme)
    expect(await js.publish("actions.v1.acme.user.logged_in", "1", { msgID: "acme:1" })).toMatchObject({
      stream: STREAMS.actions,
      duplicate: false,
    })
    expect(await js.publish("actions.v1.acme.user.logged_in", "1", { msgID: "acme:1" })).toMatchObject({
      duplicate: true,
    })
    expect(await js.publish("directory.v1.acme.user.upserted", "1", { msgID: "acme:2" })).toMatchObject({
      stream: STREAMS.directory,
    })
  })

  it("sends many at once through the publisher", async () => {
    const publisher = Publisher.open(acme)
    const acknowledged = await Promise.all(
      Array.from({ length: 500 }, (_, n) =>
        publisher.publish({
          subject: "actions.v1.acme.cv.downloaded",
          messageId: `acme:many-${n}`,
          payload: Buffer.from("x"),
        }),
      ),
    )
    await publisher.close()
    expect(new Set(acknowledged.map(({ seq }) => seq)).size).toBe(500)
  })

  it.each([
    "actions.v1.globex.user.logged_in",
    "actions.v1.acmeX.user.logged_in",
    "actions.v1.user.logged_in",
    "directory.v1.globex.user.upserted",
    "dead.v1.acme.invalid_json",
    "audit.v1.acme",
    "exports.v1.acme",
    "$KV.ledger.ACTIONS",
    "$KV.api-keys.x",
    "$KV.grants.acme",
    "$KV.tenant-settings.acme",
    "$O.exports.M.x",
    "$JS.API.INFO",
    "$JS.API.STREAM.LIST",
    "$JS.API.STREAM.INFO.ACTIONS",
    "$JS.API.STREAM.MSG.GET.ACTIONS",
    "$JS.API.STREAM.PURGE.ACTIONS",
    "$JS.API.STREAM.DELETE.ACTIONS",
    "$JS.API.STREAM.CREATE.MINE",
    "$JS.API.DIRECT.GET.KV_api-keys.$KV.api-keys.x",
    "$JS.API.CONSUMER.CREATE.ACTIONS",
    "$JS.ACK.ACTIONS.x.1.1.1.1.1",
    "_INBOX.x",
    "anything",
  ])("may not publish to %s", async (subject) => {
    await expect(acme.request(subject, "{}", { timeout: 1000 })).rejects.toThrow("Permissions Violation")
  })

  it.each([
    ">",
    "actions.v1.>",
    "actions.v1.acme.>",
    "actions.v1.globex.>",
    "directory.v1.>",
    "dead.v1.>",
    "*.*.acme.>",
    "$JS.>",
    "$KV.>",
    "$SYS.>",
    "_INBOX_x.>",
  ])("may not listen to %s", async (subject) => {
    expect(await subscribed(acme, subject)).toBe("PermissionViolationError")
  })

  it("hears nothing of another tenant's inbox, nor of the services'", async () => {
    const heard: Array<string> = []
    const listening = globex.subscribe("_INBOX.>", {
      callback: (_, message) => {
        heard.push(message.subject)
      },
    })
    await globex.flush()
    const inbox = "_INBOX.acme-s-own"
    const own = acme.subscribe(inbox, { max: 1 })
    acme.publish("actions.v1.acme.user.logged_in", "2", { reply: inbox })
    await jetstream(operator).publish("actions.v1.acme.user.logged_in", "3")
    operator.publish(inbox, "from the services' side")
    for await (const message of own) expect(message.json()).toMatchObject({ stream: STREAMS.actions })
    await operator.flush()
    // Its own acknowledgement it hears, so it was listening all the time.
    await jetstream(globex).publish("actions.v1.globex.user.logged_in", "4", { msgID: "globex:4" })
    await globex.flush()
    expect(heard).toHaveLength(1)
    listening.unsubscribe()
  })

  it("cannot make the stream's acknowledgement speak for it elsewhere", async () => {
    const before = { actions: await held(STREAMS.actions), directory: await held(STREAMS.directory) }
    expect(before.directory).toMatchObject({ "directory.v1.acme.user.upserted": 1 })
    for (const reply of [
      "$JS.API.STREAM.PURGE.DIRECTORY",
      "$JS.API.STREAM.DELETE.DIRECTORY",
      "directory.v1.globex.user.upserted",
      "actions.v1.globex.user.logged_in",
      "$KV.api-keys.x",
      "_INBOX.globex",
    ])
      acme.publish("actions.v1.acme.user.logged_in", "x", { reply })
    // In order behind them.
    await jetstream(acme).publish("actions.v1.acme.user.logged_in", "y", { msgID: "acme:behind" })
    expect(await held(STREAMS.directory)).toEqual(before.directory)
    const { "actions.v1.acme.user.logged_in": own, ...others } = await held(STREAMS.actions)
    const { "actions.v1.acme.user.logged_in": ownBefore = 0, ...othersBefore } = before.actions
    expect(own).toBe(ownBefore + 7)
    expect(others).toEqual(othersBefore)
    expect(await held("KV_api-keys")).toEqual({})
  })
})

describe("whoever is no user", () => {
  it.each([
    ["has no credential", {}],
    ["has a wrong password", { user: "tidemark_operator", pass: "x" }],
    ["has a key that nobody made", { authenticator: nkeyAuthenticator(nkeys.createUser().getSeed()) }],
    ["names a tenant", { user: "acme", pass: "" }],
  ])("is refused: %s", async (_, options) => {
    await expect(connected(options)).rejects.toThrow(/authorization violation/iu)
  })
})

describe("users", () => {
  const settings = () => readSettings({ NATS_PORT: String(port), TIDEMARK_DATA_DIR: dataDir })
  const create = (tenant: string) => Effect.runPromise(createTenantUser(settings(), { tenant }))
  const revoke = (whom: Whom) => Effect.runPromise(revokeTenantUsers(settings(), whom))

  it("are made by a command, work at once, and have a seed that is kept nowhere", async () => {
    const tidemark = (...args: ReadonlyArray<string>) =>
      spawnSync(process.execPath, [join(ROOT, "deploy", "cli.ts"), "nats-users", ...args], {
        encoding: "utf8",
        env: { PATH: process.env["PATH"], NATS_PORT: String(port), TIDEMARK_DATA_DIR: dataDir },
      })
    const { status, stdout, stderr } = tidemark("create", "--tenant", "initech", "--name", "ATS")
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.not.stringContaining("HUP") })
    const seed = stdout.trimEnd().split("\n").at(-1) ?? ""
    const initech = await asSeed(Buffer.from(seed))
    expect(
      await jetstream(initech).publish("actions.v1.initech.user.logged_in", "1", { msgID: "initech:1" }),
    ).toMatchObject({ stream: STREAMS.actions })
    // The question whether it works left nothing behind.
    expect(await held(STREAMS.actions)).toMatchObject({ "actions.v1.initech.user.logged_in": 1 })
    expect(Object.keys(await held(STREAMS.actions))).not.toContain("actions.v1.initech.probe.probe")
    expect(spawnSync("grep", ["-rl", seed, dataDir], { encoding: "utf8" }).stdout).toBe("")
    expect(tidemark("list").stdout).toMatch(/^initech\tU[A-Z2-7]{55}\t.*\tATS$/mu)
  }, 120_000)

  it("that are made leave the connections of others as they are", async () => {
    expect((await create("umbrella")).works).toBe(true)
    expect(await jetstream(acme).publish("actions.v1.acme.user.logged_in", "5")).toBeDefined()
    expect(operator.isClosed() || acme.isClosed() || globex.isClosed()).toBe(false)
  })

  it("are taken back one by one or all of a tenant, and their connections end", async () => {
    const one = await create("hooli")
    const other = await create("hooli")
    const [mine, others] = await Promise.all([asSeed(Buffer.from(one.seed)), asSeed(Buffer.from(other.seed))])
    expect(await revoke({ key: one.user.public_key })).toMatchObject({
      revoked: [one.user],
      told: true,
    })
    await vi.waitFor(() => expect(mine.isClosed()).toBe(true), { timeout: 5000 })
    await expect(asSeed(Buffer.from(one.seed))).rejects.toThrow(/authorization violation/iu)
    expect(await jetstream(others).publish("actions.v1.hooli.user.logged_in", "1")).toBeDefined()
    expect(await revoke({ tenant: "hooli" })).toMatchObject({
      revoked: [other.user],
      told: true,
    })
    await vi.waitFor(() => expect(others.isClosed()).toBe(true), { timeout: 5000 })
    expect(await jetstream(acme).publish("actions.v1.acme.user.logged_in", "6")).toBeDefined()
  })

  it("that nobody named or that are not there are said", async () => {
    const failing = (whom: Whom) => Effect.runPromise(Effect.flip(revokeTenantUsers(settings(), whom)))
    expect(await failing({})).toMatchObject({ reason: "nobody_named" })
    expect(await failing({ tenant: "nobody" })).toMatchObject({ reason: "not_found" })
    expect(await failing({ tenant: "acme", key: "UNKNOWN" })).toMatchObject({ reason: "not_found" })
  })
})

it("no name of a tenant can say more than a name in the configuration", () => {
  const text = renderAccounts([{ tenant: "a-1", public_key: "U".padEnd(56, "A"), created_at: "" }])
  expect(text).toContain('subject: "actions.v1.a-1.>"')
  expect(text).not.toContain('TIDEMARK, subject: "actions.v1.>"')
})
