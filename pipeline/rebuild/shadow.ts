import { randomBytes } from "node:crypto"
import { Effect } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { DATABASE, REBUILD_DATABASE } from "#schemas/names.ts"
import type { Rollup } from "../writer/rollups.ts"
import { dropShadow } from "../writer/shadow.ts"

/** What runs that were killed left behind, long ago: nothing is built for so long. */
const FORGOTTEN_HOURS = 12

const removeForgotten = Effect.gen(function* () {
  const store = yield* ClickHouse
  const forgotten = yield* store.query<{ readonly name: string }>(
    `SELECT name AS name FROM system.tables
     WHERE database = {database:String} AND metadata_modification_time < now() - toIntervalHour({hours:UInt32})`,
    { params: { database: REBUILD_DATABASE, hours: FORGOTTEN_HOURS } },
  )
  for (const { name } of forgotten) yield* dropShadow(`${REBUILD_DATABASE}.${name}`)
})

/** An empty table like a rollup's, gone with the scope. Its name is nobody else's, so a late statement meets no other's rows. */
export const makeShadow = ({ table }: Rollup) =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      const store = yield* ClickHouse
      yield* removeForgotten
      const shadow = `${REBUILD_DATABASE}.${table.slice(DATABASE.length + 1)}_${randomBytes(6).toString("hex")}`
      yield* store.command(`CREATE TABLE ${shadow} AS ${table}`)
      return shadow
    }),
    (shadow) =>
      dropShadow(shadow).pipe(
        Effect.catch((error: ClickHouseError) =>
          Effect.logWarning(`${shadow} is left behind: ${error.message}`),
        ),
      ),
  )
