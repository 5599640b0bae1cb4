import { Effect, Schedule } from "effect"
import { ClickHouse, ClickHouseError } from "#clickhouse"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { TABLES } from "#schemas/names.ts"
import { ROLLUPS } from "./rollups.ts"

const WRITERS = "tidemark-writer-"
/** Begins the id of every statement that changes the store for a stream, and stands in each of its mutations. */
const queryPrefix = (stream: string): string => `${WRITERS}${stream}-`

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
 * began, so that one sent late deletes nothing, however long it takes. It names the stream, as the server knows a mutation
 * by its text alone.
 */
export const DELETE_WITHIN_LEASE =
  "notEmpty({by:String}) AND now64(3, 'UTC') <= fromUnixTimestamp64Milli({deadline:Int64}, 'UTC')"
export const DELETE_SETTINGS = {
  allow_nondeterministic_mutations: 1,
  mutations_execute_nondeterministic_on_initiator: 1,
  lightweight_deletes_sync: "2",
} as const

/** What `DELETE_WITHIN_LEASE` takes. */
export const deleteParams = (record: LedgerRecord) => ({
  by: queryPrefix(record.stream),
  deadline: record.lease_until,
})

/** An ALTER is fenced in the same way. One that came too late has "succeeded", too: what must be gone is to be looked for. */
export const ALTER_SETTINGS = { ...DELETE_SETTINGS, mutations_sync: "2" } as const

/** What a statement was to do and was not done, since it reached the store when its lease was over. */
export const tooLate = (what: string) =>
  new ClickHouseError({ reason: "unavailable", detail: `${what} reached the store too late to be done` })

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
       WHERE concat(database, '.', table) IN {tables:Array(String)}
           AND NOT is_done
           -- It takes from the disk what nobody sees any more.
           AND command NOT IN ('APPLY DELETED MASK', '(APPLY DELETED MASK)')
           -- Those of other streams are of other tenants, and may take long.
           AND (position(command, {prefix:String}) > 0 OR position(command, {writers:String}) = 0)`,
      // The tables that a writer deletes from.
      {
        params: {
          tables: [TABLES.actions, ...ROLLUPS.map(({ table }) => table)],
          prefix,
          writers: WRITERS,
        },
      },
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
