import { expect, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { inject } from "vitest"
import { ClickHouse } from "#clickhouse"
import { fixed, Int64Column, nativeBlock, StringColumn } from "./native.ts"

const store = Layer.suspend(() =>
  ClickHouse.layer({ url: inject("clickhouseUrl"), user: "tidemark_migrator", password: "" }),
)

/** Lengths around each place where the length's own length changes, and where a short string ends. */
const LENGTHS = [0, 1, 62, 63, 64, 65, 126, 127, 128, 129, 16_383, 16_384, 16_385, 100_000]
const TEXTS = [
  ...LENGTHS.map((length) => "x".repeat(length)),
  ...LENGTHS.map((length) => "ü".repeat(length)),
  "一二三",
  "🙂".repeat(31),
  "🙂".repeat(32),
  "ascii, then é",
  "\u0000\u0001\t\n\r\"'\\",
  "\u007F\u0080\u07FF\u0800\uFFFF",
  "\uFFFD",
]
const INTEGERS = [
  0,
  1,
  255,
  256,
  4_294_967_295,
  4_294_967_296,
  4_294_967_297,
  2 ** 52 + 1,
  Number.MAX_SAFE_INTEGER - 1,
  Number.MAX_SAFE_INTEGER,
]

layer(store)("a native block", (it) => {
  it.effect("is read by the store as it was written", () =>
    Effect.gen(function* () {
      const clickhouse = yield* ClickHouse
      yield* clickhouse.command("DROP TABLE IF EXISTS tidemark.native_test")
      yield* clickhouse.command(
        `CREATE TABLE tidemark.native_test
         (n UInt32, s String, u UInt64, i Int64, d UInt16, b Bool, t DateTime64(3, 'UTC')) ENGINE = Memory`,
      )
      const rows = TEXTS.map((s, n) => {
        const u = INTEGERS[n % INTEGERS.length] ?? 0
        const i = n % 2 === 0 ? u : -u
        return {
          n,
          s,
          u,
          i: i + 0,
          d: (n * 1999) % 65_536,
          b: n % 3 === 0,
          t: 1_795_000_000_000 + n * 86_399_999 - n * 1e11,
        }
      })
      // Small at first, so that they grow.
      const strings = new StringColumn(1)
      const [unsigned, signed, times] = [
        new Int64Column(rows.length),
        new Int64Column(rows.length),
        new Int64Column(rows.length),
      ]
      for (const row of rows) {
        strings.push(row.s)
        unsigned.push(row.u)
        signed.push(row.i)
        times.push(row.t)
      }
      yield* clickhouse.insert({
        statement: "INSERT INTO tidemark.native_test (n, s, u, i, d, b, t) FORMAT Native",
        body: [
          nativeBlock(rows.length, [
            { name: "n", type: "UInt32", data: fixed(Uint32Array.from(rows, ({ n }) => n)) },
            { name: "s", type: "String", data: strings.take() },
            { name: "u", type: "UInt64", data: unsigned.take() },
            { name: "i", type: "Int64", data: signed.take() },
            { name: "d", type: "UInt16", data: fixed(Uint16Array.from(rows, ({ d }) => d)) },
            { name: "b", type: "Bool", data: fixed(Uint8Array.from(rows, ({ b }) => Number(b))) },
            { name: "t", type: "DateTime64(3, 'UTC')", data: times.take() },
          ]),
        ],
      })
      const read = yield* clickhouse.query(
        "SELECT n, s, u, i, d, b, toUnixTimestamp64Milli(t) AS t FROM tidemark.native_test ORDER BY n",
      )
      expect(read).toEqual(rows)
      yield* clickhouse.command("DROP TABLE tidemark.native_test")
    }),
  )
})
