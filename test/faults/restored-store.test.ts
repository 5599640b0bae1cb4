import { expect, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { ClickHouse } from "#clickhouse"
import { Traffic } from "./traffic.ts"
import { until } from "./until.ts"
import { World } from "./world.ts"
import { kill, metricOf } from "./writers.ts"

/** Says something to the store as its administrator. */
const administer = (statement: string) =>
  Effect.flatMap(World, ({ clickhouseUrl }) =>
    Effect.flatMap(ClickHouse, (store) => store.command(statement)).pipe(
      Effect.provide(ClickHouse.layer({ url: clickhouseUrl, user: "default", password: "" })),
    ),
  )

const rowsOf = (tenant: string) =>
  Effect.flatMap(ClickHouse, (store) =>
    store.query<{ rows: number }>(
      "SELECT count() AS rows FROM tidemark.actions WHERE tenant = {tenant:String}",
      { params: { tenant } },
    ),
  ).pipe(Effect.map((rows) => rows[0]?.rows ?? 0))

/** The store holds what it should. */
const isRight = Effect.gen(function* () {
  const { expected } = yield* Traffic
  return (yield* expected.differences()).length === 0
}).pipe(Effect.orElseSucceed(() => false))

layer(Traffic.layer, { excludeTestServices: true, timeout: "120 seconds" })("a store", (it) => {
  it.effect(
    "restored from ClickHouse's own backup, which was made under load, gets what was committed later once more",
    () =>
      Effect.gen(function* () {
        const { expected, publish } = yield* Traffic
        const { startWriter, quiet } = yield* World
        const before = yield* startWriter()
        const loading = yield* publish("a", 50).pipe(
          Effect.andThen(publish("b", 50)),
          Effect.repeat({ times: 20 }),
          Effect.forkChild,
        )
        yield* until(
          "rows come",
          Effect.map(rowsOf("b"), (rows) => rows > 200),
        )
        // Table by table, so that no two of them are of one instant.
        yield* administer("BACKUP DATABASE tidemark TO File('noon')")
        yield* Fiber.join(loading)
        yield* publish("c", 500)
        yield* quiet
        yield* kill(before, "SIGTERM")
        yield* administer("DROP DATABASE tidemark SYNC")
        yield* administer("RESTORE DATABASE tidemark FROM File('noon')")
        expect((yield* expected.differences()).length).toBeGreaterThan(0)

        const writer = yield* startWriter()
        yield* until("everything there again", isRight)
        expect(yield* metricOf(writer, "tidemark_rows_repaired_total")).toBeGreaterThan(500)
        yield* publish("b", 10)
        yield* quiet
        expect(yield* expected.differences()).toEqual([])
      }),
    { timeout: 120_000 },
  )
})
