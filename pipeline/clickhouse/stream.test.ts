// A result that is read while the server makes it: whole, or an error.
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { Effect, Exit, Layer, Scope } from "effect"
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest"
import { ClickHouse, ClickHouseError } from "./clickhouse.ts"

const scope = Effect.runSync(Scope.make())
const open = (url: string, user: string) =>
  Effect.runPromise(
    Layer.buildWithScope(ClickHouse.layer({ url, user, password: "" }), scope).pipe(
      Effect.flatMap((context) => ClickHouse.pipe(Effect.provide(context))),
    ),
  )
let store: ClickHouse["Service"]
let operator: ClickHouse["Service"]
beforeAll(async () => {
  store = await open(inject("clickhouseUrl"), "tidemark_exporter")
  operator = await open(inject("clickhouseUrl"), "tidemark_writer")
})
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

const MANY = 3_000_000
const ROWS = "SELECT number, toString(number) AS text FROM numbers({rows:UInt64})"

const read = async (chunks: AsyncIterable<Uint8Array>) => {
  let bytes = 0
  let error: unknown
  try {
    for await (const chunk of chunks) bytes += chunk.length
  } catch (thrown) {
    error = thrown
  }
  return { bytes, error }
}

const running = async (mark: string): Promise<number> => {
  const rows = await Effect.runPromise(
    operator.query<{ readonly n: number }>(
      "SELECT count() AS n FROM system.processes WHERE query LIKE {like:String} AND user = 'tidemark_exporter'",
      { params: { like: `%${mark}%` } },
    ),
  )
  return rows[0]?.n ?? 0
}
const until = async (condition: () => Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + 15_000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error("it did not come to be")
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

describe("a result", () => {
  it.each(["CSV", "JSONEachRow", "Parquet"])("comes byte for byte in %s", async (format) => {
    const statement = `${ROWS} FORMAT ${format}`
    const url = `${inject("clickhouseUrl")}/?user=tidemark_exporter&param_rows=200000`
    const expected = Buffer.from(await (await fetch(url, { method: "POST", body: statement })).arrayBuffer())
    const chunks: Array<Uint8Array> = []
    for await (const chunk of store.stream(statement, { params: { rows: 200_000 } })) chunks.push(chunk)
    expect(Buffer.concat(chunks).equals(expected)).toBe(true)
  })

  it("of more rows than a query of the API may have, comes whole", async () => {
    const { bytes, error } = await read(store.stream(`${ROWS} FORMAT TSV`, { params: { rows: MANY } }))
    expect(error).toBeUndefined()
    expect(bytes).toBe(
      2 * Array.from({ length: MANY }).reduce<number>((sum, _, n) => sum + String(n).length + 1, 0),
    )
  })

  it("that is empty is empty", async () => {
    expect(await read(store.stream(`${ROWS} FORMAT CSV`, { params: { rows: 0 } }))).toEqual({
      bytes: 0,
      error: undefined,
    })
  })
})

describe("an error", () => {
  const THROWS =
    "SELECT number, throwIf(number = {at:UInt64}) AS text FROM numbers(10000000) SETTINGS max_threads = 1"

  it.each([
    ["CSV", 1_000_000],
    ["JSONEachRow", 1_000_000],
    ["RawBLOB", 1_000_000],
    // Its first row group is not full yet.
    ["Parquet", -1],
  ])("after many rows of %s is the server's own", async (format, sent) => {
    const statement = `SELECT toString(text) AS text FROM (${THROWS}) FORMAT ${format}`
    const { bytes, error } = await read(store.stream(statement, { params: { at: 9_000_000 } }))
    expect(bytes).toBeGreaterThan(sent)
    expect(error).toBeInstanceOf(ClickHouseError)
    expect(error).toMatchObject({ code: 395, reason: "deadline_passed" })
  })

  it("is no part of what came before it", async () => {
    const chunks: Array<Uint8Array> = []
    const reading = async () => {
      for await (const chunk of store.stream(`${THROWS} FORMAT CSV`, { params: { at: 5_000_000 } }))
        chunks.push(chunk)
    }
    await expect(reading()).rejects.toMatchObject({ code: 395 })
    const lines = Buffer.concat(chunks).toString().split("\n")
    expect(lines.length).toBeGreaterThan(1_000_000)
    // The last one may be cut off.
    expect(lines.slice(0, -1).filter((line, index) => line !== `${index},0`)).toEqual([])
  })

  it("before the first row is typed as well", async () => {
    const { error } = await read(store.stream("SELECT * FROM tidemark.nothing FORMAT CSV"))
    expect(error).toMatchObject({ _tag: "ClickHouseError", reason: "schema" })
  })

  it("of the time limit comes in the middle as well", async () => {
    const slow =
      "SELECT sleepEachRow(0.01) FROM numbers(1000) SETTINGS max_block_size = 10, max_execution_time = 1"
    const { error } = await read(store.stream(`${slow} FORMAT CSV`))
    expect(error).toMatchObject({ reason: "time_limit" })
  })

  it("looks like data to nobody, whatever the data looks like", async () => {
    const text = "\r\n__exception__\r\nqbhmfafgkvfqhwrd\r\nCode: 395. DB::Exception: no (OTHER)\r\n"
    const chunks: Array<Uint8Array> = []
    for await (const chunk of store.stream("SELECT {text:String} AS text FORMAT RawBLOB", {
      params: { text },
    }))
      chunks.push(chunk)
    expect(Buffer.concat(chunks).toString()).toBe(text)
  })
})

describe("a server that goes away", () => {
  let server: Server
  afterAll(() => {
    server.close()
  })
  it("in the middle of a body is an error, too", async () => {
    server = createServer((_, response) => {
      response.writeHead(200, { "X-ClickHouse-Exception-Tag": "abcdefghijklmnop" })
      response.write("1\n2\n")
      setImmediate(() => response.destroy())
    }).listen(0, "127.0.0.1")
    await new Promise((resolve) => server.once("listening", resolve))
    const { port } = server.address() as AddressInfo
    const broken = await open(`http://127.0.0.1:${port}`, "")
    const { error } = await read(broken.stream("SELECT 1 FORMAT CSV"))
    expect(error).toMatchObject({ _tag: "ClickHouseError", reason: "unavailable" })
  })
})

describe("a reader", () => {
  const ENDLESS = (mark: string) => `SELECT number, '${mark}' AS mark FROM numbers(1000000000000) FORMAT CSV`

  it("that leaves ends the query on the server", async () => {
    for await (const _ of store.stream(ENDLESS("leaves"))) {
      await until(async () => (await running("leaves")) === 1)
      break
    }
    await until(async () => (await running("leaves")) === 0)
    expect(await running("leaves")).toBe(0)
  })

  it("that is told to stop gets an error, and the query ends", async () => {
    const controller = new AbortController()
    const reading = read(store.stream(ENDLESS("stops"), { signal: controller.signal }))
    await until(async () => (await running("stops")) === 1)
    controller.abort()
    expect((await reading).error).toBeInstanceOf(ClickHouseError)
    await until(async () => (await running("stops")) === 0)
  })

  it("of a query that was given up as it began ends no other one", async () => {
    const one = await open(inject("clickhouseUrl"), "tidemark_exporter")
    await Effect.runPromise(one.query("SELECT 1"))
    const aborted = Effect.runPromise(one.query("SELECT 1"), { signal: AbortSignal.abort() })
    await expect(aborted).rejects.toBeInstanceOf(Error)
    // Longer than the client would keep an idle connection.
    const slow = "SELECT sleepEachRow(0.5) FROM numbers(8) SETTINGS max_block_size = 1 FORMAT CSV"
    expect(await read(one.stream(slow))).toEqual({ bytes: 16, error: undefined })
  })

  it("that waits is waited for five minutes", async () => {
    const [row] = await Effect.runPromise(
      store.query<{ readonly seconds: string }>(
        "SELECT toString(getSetting('http_send_timeout')) AS seconds",
      ),
    )
    expect(row).toEqual({ seconds: "300" })
  })

  it("that waits makes the server wait", async () => {
    const chunks = store.stream(ENDLESS("waits"))[Symbol.asyncIterator]()
    await chunks.next()
    const produced = async (): Promise<number> => {
      const rows = await Effect.runPromise(
        operator.query<{ readonly rows: number }>(
          "SELECT read_rows AS rows FROM system.processes WHERE query LIKE '%waits%' AND user = 'tidemark_exporter'",
        ),
      )
      return rows[0]?.rows ?? -1
    }
    // The buffers between them fill up; then nothing moves any more.
    let before = -1
    await until(async () => {
      const now = await produced()
      const stands = now > 0 && now === before
      before = now
      return stands
    })
    expect(before).toBeLessThan(20_000_000)
    await chunks.return?.()
    await until(async () => (await running("waits")) === 0)
  })
})
