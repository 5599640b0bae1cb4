import { randomUUID } from "node:crypto"
import { expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { inject } from "vitest"
import { ClickHouse } from "#clickhouse"
import { TABLES } from "#schemas/names.ts"
import { ledgerRecord } from "../../test/ledger-record.ts"
import { repairRollups } from "./repair-rollups.ts"
import { differences, ROLLUPS } from "./rollups.ts"
import { halve, paramsOf, type Piece } from "./scope.ts"

const writer = ClickHouse.layer({ url: inject("clickhouseUrl"), user: "tidemark_writer", password: "" })

/** The store, which gives a statement so many bytes. */
const within = (bytes: number) =>
  Layer.effect(
    ClickHouse,
    ClickHouse.use((store) => {
      const limited = <Options extends { readonly settings?: object }>(options?: Options) => ({
        ...options,
        settings: { ...options?.settings, max_memory_usage: String(bytes) },
      })
      return Effect.succeed(
        ClickHouse.of({
          ...store,
          query: (statement, options) => store.query(statement, limited(options)),
          command: (statement, options) => store.command(statement, limited(options)),
        }),
      )
    }),
  ).pipe(Layer.provide(writer))

const RECORD = ledgerRecord("REPAIRED", { lease_until: Date.now() + 600_000 })

const ROWS_A_DAY = 100_000
const LITTLE = 60_000_000
/** Keys of the clients' rollup: those that are missing, and two with a time that is too late. */
const WRONG = (ROWS_A_DAY * 2) / 10 + 2

it.live(
  "repairs what is too much for one statement's memory, in halves",
  () =>
    Effect.gen(function* () {
      const tenant = `repair-${randomUUID()}`
      const days = ["2026-10-01", "2026-10-02"]
      const piece: Piece = { tenants: [tenant], days, part: 0, parts: 1 }
      const countWrong = (some: Piece) =>
        Effect.forEach(ROLLUPS, (rollup) =>
          ClickHouse.use((store) =>
            store.query<{ wrong: number }>(`SELECT count() AS wrong FROM (${differences(rollup)})`, {
              params: paramsOf(some),
            }),
          ).pipe(Effect.map(([row]) => row?.wrong)),
        )
      yield* Effect.gen(function* () {
        const store = yield* ClickHouse
        // Every row is a key of its own in the clients' rollup.
        yield* store.command(
          `INSERT INTO ${TABLES.actions} (tenant, id, type, time, actor_id, actor_type, quantity, client_id, candidate_id, zone, local_day)
           SELECT
             {tenant:String} AS tenant,
             toString(number) AS id,
             'profile.viewed' AS type,
             toDateTime64('2026-10-01 00:00:00', 3, 'UTC') + toIntervalMillisecond(intDiv(number * 86400000, ${ROWS_A_DAY})) AS time,
             concat('u_', toString(number % 50)) AS actor_id,
             'member' AS actor_type,
             1 AS quantity,
             'c_1' AS client_id,
             concat('candidate_', toString(number)) AS candidate_id,
             'UTC' AS zone,
             toDate(time) AS local_day
           FROM numbers(${ROWS_A_DAY * days.length})`,
          { params: { tenant } },
        )
        yield* store.command(
          `DELETE FROM ${TABLES.clientActivity15m} WHERE tenant = {tenant:String} AND candidate_id LIKE '%7'`,
          { params: { tenant } },
        )
        yield* store.command(
          `INSERT INTO ${TABLES.activityDaily} SELECT * FROM ${TABLES.activityDaily} WHERE tenant = {tenant:String} AND user_id = 'u_1'`,
          { params: { tenant } },
        )
        yield* store.command(
          `INSERT INTO ${TABLES.clientActivity15m} (tenant, action, client_id, quarter, job_id, candidate_id, by_client, events, quantity, first_at, last_at)
           SELECT tenant, action, client_id, quarter, job_id, candidate_id, by_client, 0, 0, first_at, last_at + INTERVAL 1 DAY
           FROM ${TABLES.clientActivity15m}
           WHERE tenant = {tenant:String} AND candidate_id IN ('candidate_1', 'candidate_${ROWS_A_DAY + 1}')`,
          { params: { tenant } },
        )
        expect(yield* countWrong(piece)).toEqual([0, 2, WRONG])
      }).pipe(Effect.provide(writer))

      yield* Effect.gen(function* () {
        for (const day of [piece, ...halve(piece)])
          expect(yield* Effect.flip(countWrong(day))).toMatchObject({ reason: "memory_limit" })
        const repaired = yield* repairRollups({ tenants: [tenant], days }, () => RECORD)
        expect(repaired).toBeGreaterThanOrEqual(WRONG + 2)
      }).pipe(Effect.provide(within(LITTLE)))

      expect(yield* Effect.provide(countWrong(piece), writer)).toEqual([0, 0, 0])
    }),
  { timeout: 120_000 },
)
