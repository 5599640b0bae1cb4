import { Effect, Queue, Schedule } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { decodeDirectory } from "#schemas/decode.ts"
import { STREAMS, SUBJECTS, TABLES } from "#schemas/names.ts"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { Publisher } from "#nats/publisher.ts"
import { type StreamMessage, StreamReader } from "#nats/reader.ts"
import { routeOf } from "../writer/action-row.ts"
import { type DeadLetter, publishDeadLetters } from "../writer/dead-letters.ts"
import type { Zones } from "../writer/zones.ts"
import { type DirectoryRow, directoryRow } from "./rows.ts"

export interface DirectoryOptions {
  /** Milliseconds that an upsert's time may be ahead of its receive time. */
  readonly maxClockAhead: number
}

/** A message as a row or as a dead letter. */
interface Judged {
  readonly seq: number
  /** Nothing waited behind it. */
  readonly isLast?: boolean
  readonly row?: DirectoryRow
  readonly letter?: DeadLetter
}

const AT_ONCE = 5000
const WINDOW = 1000
/** How often stream and store are looked at while nothing comes. */
const LOOK_EVERY = "2 seconds"

const backoff = Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("5 seconds")]).pipe(
  Schedule.jittered,
)

/** How far the store has applied the stream; it is asked, not the broker, so that a restored store reads on rightly. */
const readProgress = Effect.fnUntraced(function* (created: string) {
  const store = yield* ClickHouse
  const rows = yield* store.query<{ seq: number }>(
    `SELECT max(stream_seq) AS seq FROM ${TABLES.directoryProgress}
     WHERE stream = {stream:String} AND created = {created:String}`,
    { params: { stream: STREAMS.directory, created } },
  )
  return rows[0]?.seq ?? 0
})

const loadZones = Effect.fnUntraced(function* (zones: Zones) {
  const store = yield* ClickHouse
  const rows = yield* store.query<{ tenant: string; zone: string; version: number; id: string }>(
    `SELECT tenant, record.time_zone AS zone, toUnixTimestamp64Milli(record.version) AS version, record.event_id AS id
     FROM (SELECT tenant, max(record) AS record FROM ${TABLES.tenants} GROUP BY tenant)`,
  )
  for (const { tenant, zone, version, id } of rows) zones.set(tenant, zone, version, id)
})

const insertRows = Effect.fnUntraced(function* (rows: ReadonlyArray<DirectoryRow>) {
  const store = yield* ClickHouse
  for (const [table, some] of Map.groupBy(rows, ({ table }) => table))
    yield* store.insert({
      statement: `INSERT INTO ${table} FORMAT JSONEachRow`,
      body: [Buffer.from(some.map(({ row }) => JSON.stringify(row)).join("\n"))],
      settings: { async_insert: 0, insert_deduplicate: 0 },
    })
})

/**
 * Applies the directory's stream to the store for ever. Every row may be written again without harm (the newest version
 * wins, whatever the order), so at least once is enough; the position is kept in the store, beside the rows.
 * `onCaughtUp` is called when everything that the stream held at the start is applied.
 */
export const runDirectory = Effect.fn("runDirectory")(function* (
  options: DirectoryOptions,
  zones: Zones,
  onCaughtUp: () => void,
): Effect.fn.Return<never, never, ClickHouse | Nats> {
  const { connection, manager } = yield* Nats
  const publisher = Publisher.open(connection)

  /** Judged as it arrives: the writer stamps rows by the newest zone that anybody told, stored or not. */
  const judge = (message: StreamMessage): Judged => {
    const decoded = decodeDirectory(
      {
        payload: message.payload,
        ...routeOf(SUBJECTS.directory, message.subject),
        messageId: message.messageId,
        checkRoute: true,
        receivedAt: message.receivedAt,
      },
      options,
    )
    const { seq } = message
    if (!decoded.ok)
      return {
        seq,
        letter: { stream: STREAMS.directory, message, reason: decoded.reason, detail: decoded.detail },
      }
    const { event, time } = decoded
    if (event.type === "tenant.upserted") zones.set(event.tenantid, event.data.time_zone, time, event.id)
    return { seq, row: directoryRow(event, time) }
  }

  const apply = Effect.fnUntraced(function* (judged: ReadonlyArray<Judged>, created: string) {
    const letters = judged.flatMap(({ letter }) => letter ?? [])
    const rows = judged.flatMap(({ row }) => row ?? [])
    yield* publishDeadLetters(publisher, SUBJECTS.directory, 1, letters)
    yield* insertRows(rows)
    yield* insertRows([
      {
        table: TABLES.directoryProgress,
        row: { stream: STREAMS.directory, created, stream_seq: judged.at(-1)?.seq ?? 0 },
      },
    ])
  })

  /** Whether stream and store still are the ones that were read and written: neither made anew nor put back. */
  const isSame = Effect.fnUntraced(function* (created: string, applied: number) {
    const info = yield* attemptNats("look at the directory", () => manager.streams.info(STREAMS.directory))
    return (
      info.created === created && info.state.last_seq >= applied && (yield* readProgress(created)) >= applied
    )
  })

  /** Applies the stream from where the store's rows end, until one of the two is another one. */
  const follow = Effect.gen(function* () {
    yield* loadZones(zones)
    const { created, state } = yield* attemptNats("look at the directory", () =>
      manager.streams.info(STREAMS.directory),
    )
    const progress = yield* readProgress(created)
    // A stream that ends before the position is another one: apply it from its beginning.
    const from = progress > state.last_seq ? 1 : progress + 1
    // The last messages may have been taken out of the stream, so its end says nothing.
    const atOrBehind = { seq: from, next_by_subj: ">" }
    const next = yield* attemptNats("look for directory events", () =>
      manager.streams.getMessage(STREAMS.directory, atOrBehind),
    )
    if (next === null) onCaughtUp()
    const queue = yield* Queue.unbounded<Judged>()
    const reader = yield* Effect.acquireRelease(
      Effect.sync(() =>
        StreamReader.open(connection, manager, {
          stream: STREAMS.directory,
          from,
          window: WINDOW,
          windowBytes: 4 * 1024 * 1024,
          onMessage: (message, waiting) => {
            Queue.offerUnsafe(queue, { ...judge(message), isLast: waiting === 0 })
            if (Queue.sizeUnsafe(queue) >= AT_ONCE) reader.pause()
          },
        }),
      ),
      (reader) => Effect.promise(() => reader.stop()),
    )
    for (let applied = from - 1; ;) {
      const taken = yield* Queue.takeBetween(queue, 1, AT_ONCE).pipe(Effect.timeoutOption(LOOK_EVERY))
      if (!(yield* isSame(created, applied))) {
        yield* Effect.logWarning(
          "the directory's stream or its store is another one; applying from where it ends",
        )
        return
      }
      if (taken._tag === "None") continue
      reader.resume()
      yield* apply(taken.value, created)
      applied = taken.value.at(-1)?.seq ?? applied
      if (taken.value.some(({ isLast }) => isLast)) onCaughtUp()
    }
  })

  return yield* follow.pipe(
    Effect.scoped,
    Effect.tapError((error: ClickHouseError | NatsError) => Effect.logWarning(error.message)),
    Effect.retry(backoff),
    // The schedule never ends.
    Effect.orDie,
    Effect.forever,
    Effect.annotateLogs({ service: "directory" }),
  )
})
