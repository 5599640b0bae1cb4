import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { freePort } from "../../test/free-port.ts"
import { eventually, isAlive } from "../../test/processes.ts"
import { temporaryFolder } from "../../test/temporary-folder.ts"
import { portIsFree } from "./child.ts"
import { embeddedClickHouse } from "./clickhouse.ts"
import { embeddedNats } from "./nats.ts"

const ports = Effect.all([freePort, freePort, freePort])

/** A port that somebody listens on until the scope ends. */
const takenPort = Effect.gen(function* () {
  const port = yield* freePort
  yield* Effect.acquireRelease(
    Effect.promise(async () => {
      const server = createServer().listen(port, "127.0.0.1")
      await once(server, "listening")
      return server
    }),
    (server) => Effect.promise(async () => void (await new Promise((resolve) => server.close(resolve)))),
  )
  return port
})

const post = async (url: string, statement: string): Promise<string> =>
  (await fetch(url, { method: "POST", body: statement })).text()

describe("a port that is in use", () => {
  it.live("of NATS", () =>
    Effect.gen(function* () {
      const [dataDir, port] = [yield* temporaryFolder, yield* takenPort]
      const error = yield* Effect.flip(embeddedNats({ dataDir, port }))
      expect(error).toMatchObject({ engine: "nats", reason: "port_in_use" })
      expect(error.message).toBe(
        `nats port in use: port ${port} cannot be listened on (EADDRINUSE). Stop what listens there, or set NATS_PORT to another port.`,
      )
    }),
  )
  it.live.each([
    ["httpPort", "CLICKHOUSE_HTTP_PORT"],
    ["tcpPort", "CLICKHOUSE_TCP_PORT"],
  ] as const)("of ClickHouse: %s", ([which, setting]) =>
    Effect.gen(function* () {
      const [dataDir, [httpPort, tcpPort]] = [yield* temporaryFolder, yield* ports]
      const error = yield* Effect.flip(
        embeddedClickHouse({ dataDir, httpPort, tcpPort, [which]: yield* takenPort }),
      )
      expect(error).toMatchObject({ engine: "clickhouse", reason: "port_in_use" })
      expect(error.hint).toContain(setting)
    }),
  )
})

describe("an engine that cannot start", () => {
  it.live("NATS, which is not installed", () =>
    Effect.gen(function* () {
      const path = process.env["PATH"]
      yield* Effect.acquireRelease(
        Effect.sync(() => (process.env["PATH"] = "/nonexistent")),
        () => Effect.sync(() => (process.env["PATH"] = path)),
      )
      const error = yield* Effect.flip(
        embeddedNats({ dataDir: yield* temporaryFolder, port: yield* freePort }),
      )
      expect(error).toMatchObject({
        reason: "not_installed",
        hint: expect.stringContaining("npm run setup") as unknown,
      })
    }),
  )
  it.live("NATS, whose store is in the way", () =>
    Effect.gen(function* () {
      const dataDir = yield* temporaryFolder
      mkdirSync(join(dataDir, "nats"))
      writeFileSync(join(dataDir, "nats", "jetstream"), "")
      expect(yield* Effect.flip(embeddedNats({ dataDir, port: yield* freePort }))).toMatchObject({
        reason: "died",
      })
    }),
  )
  it.live("ClickHouse, whose store is in the way", () =>
    Effect.gen(function* () {
      const [dataDir, [httpPort, tcpPort]] = [yield* temporaryFolder, yield* ports]
      mkdirSync(join(dataDir, "clickhouse"))
      writeFileSync(join(dataDir, "clickhouse", "store"), "")
      const error = yield* Effect.flip(embeddedClickHouse({ dataDir, httpPort, tcpPort }))
      expect(error).toMatchObject({ engine: "clickhouse", reason: "died" })
      expect(error.detail).not.toBe("")
    }),
  )
})

it.live("both end with their scope, and find their data when they start again", () =>
  Effect.gen(function* () {
    const [dataDir, [port, httpPort, tcpPort]] = [yield* temporaryFolder, yield* ports]
    const url = `http://127.0.0.1:${httpPort}/`
    const once = (statement: string) =>
      Effect.scoped(
        Effect.gen(function* () {
          const nats = yield* embeddedNats({ dataDir, port })
          const store = yield* embeddedClickHouse({ dataDir, httpPort, tcpPort })
          const answer = yield* Effect.promise(() => post(url, statement))
          return { answer, pids: [nats.process.pid ?? 0, store.process.pid ?? 0] }
        }),
      )
    const first = yield* once("CREATE TABLE default.kept ENGINE = MergeTree ORDER BY n AS SELECT 42 AS n")
    expect(first.answer).toBe("")
    expect(first.pids.map(isAlive)).toEqual([false, false])
    yield* Effect.forEach([port, httpPort, tcpPort], (free) => portIsFree("nats", free, "NATS_PORT"))
    expect((yield* once("SELECT n FROM default.kept")).answer).toBe("42\n")
  }),
)

it.live("both end when the process that started them is killed", () =>
  Effect.gen(function* () {
    const [dataDir, free] = [yield* temporaryFolder, yield* ports]
    const script = join(import.meta.dirname, "..", "..", "test", "hold-engines.ts")
    const parent = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [script, dataDir, ...free.map(String)], {
          stdio: ["ignore", "pipe", "inherit"],
        }),
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL")),
    )
    const [line] = (yield* Effect.promise(() => once(parent.stdout, "data"))) as [Buffer]
    const pids = JSON.parse(line.toString()) as ReadonlyArray<number>
    expect(pids.map(isAlive)).toEqual([true, true])
    parent.kill("SIGKILL")
    yield* eventually(() => !pids.some(isAlive))
    yield* Effect.forEach(free, (port) => portIsFree("nats", port, "NATS_PORT"))
  }),
)
