import { Effect, Schedule } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { TABLES } from "#schemas/names.ts"
import { ROLLUPS } from "./rollups.ts"

/** Begins the id of every statement that changes the store for a stream. */
const queryPrefix = (stream: string): string => `tidemark-writer-${stream}-`

let attempts = 0

/** A query id that nobody used before: it names owner, epoch and range of the attempt. */
export const queryId = (record: LedgerRecord, what: string): string =>
  `${queryPrefix(record.stream)}${record.epoch}-${record.owner}-${what}-${++attempts}`

/**
 * The condition of every statement that changes the store: it fails when the lease under which it was sent is over by
 * the store's clock. `now64` is taken when the statement begins; one that runs by then is killed by the new owner.
 */
export const WITHIN_LEASE =
  "throwIf(now64(3, 'UTC') > fromUnixTimestamp64Milli({deadline:Int64}, 'UTC'), 'the lease is over') = 0"

/**
 * The same for a DELETE, which runs on as a mutation: the server replaces `now64` by the instant at which the statement
 * began, so that one sent late deletes nothing, however long it takes.
 */
export const DELETE_WITHIN_LEASE = "now64(3, 'UTC') <= fromUnixTimestamp64Milli({deadline:Int64}, 'UTC')"
export const DELETE_SETTINGS = {
  allow_nondeterministic_mutations: 1,
  mutations_execute_nondeterministic_on_initiator: 1,
  lightweight_deletes_sync: "2",
} as const

/**
 * A statement of the stream's writers, whichever process sent it. They share a user of the store; anybody else may give
 * a query such an id, which must neither be ended nor waited for.
 */
const OURS = "user = currentUser() AND startsWith(query_id, "

/** Ends every statement of the stream's writers, and sees that none is left. */
export const endAttempts = Effect.fn("endAttempts")(function* (
  stream: string,
): Effect.fn.Return<void, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const prefix = queryPrefix(stream)
  const running = store
    .query<{ running: number }>(
      `SELECT count() AS running FROM system.processes WHERE ${OURS}{prefix:String})`,
      { params: { prefix } },
    )
    .pipe(Effect.map((rows) => rows[0]?.running ?? 0))
  const deleting = store
    .query<{ deleting: number }>(
      `SELECT count() AS deleting FROM system.mutations
       WHERE concat(database, '.', table) IN {tables:Array(String)} AND NOT is_done`,
      // The tables that a writer deletes from.
      { params: { tables: [TABLES.actions, ...ROLLUPS.map(({ table }) => table)] } },
    )
    .pipe(Effect.map((rows) => rows[0]?.deleting ?? 0))
  const kill = Effect.gen(function* () {
    // KILL QUERY takes no parameters; the stream's name is one of ours.
    if ((yield* running) > 0) yield* store.command(`KILL QUERY WHERE ${OURS}'${prefix}') SYNC`)
    const left = { running: yield* running, deleting: yield* deleting }
    if (left.running + left.deleting > 0)
      yield* Effect.logInfo("waiting for statements to end").pipe(Effect.annotateLogs(left))
    return left.running + left.deleting
  })
  yield* kill.pipe(Effect.repeat({ while: (left) => left > 0, schedule: Schedule.spaced("250 millis") }))
})
