import { Effect } from "effect"
import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { BUCKETS } from "#schemas/names.ts"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { ledgerRecordOf } from "#nats/ledger-entry.ts"
import { readArrangement, recordFirstPartitions } from "#nats/partitions.ts"
import { OtherPartitions } from "../writer/claim.ts"
import { readStoreState } from "../writer/store-clock.ts"
import type { Turn } from "../writer/turn.ts"
import { announce, readPresences } from "./presence.ts"
import { movesOf, type Standing } from "./share.ts"

/** Who holds each stream. `now` is the store's clock. */
const readStandings = Effect.fnUntraced(function* (streams: ReadonlyArray<string>, now: number) {
  const { kv } = yield* Nats
  return yield* attemptNats("look who owns what", async () => {
    const ledger = await kv.open(BUCKETS.ledger)
    return await Promise.all(
      streams.map(async (stream): Promise<Standing> => {
        const record = ledgerRecordOf(await ledger.get(stream))
        if (record === undefined) return { stream, owner: undefined }
        if (record.lease_until >= now) return { stream, owner: record.owner }
        const { barrier } = record
        return { stream, owner: barrier !== undefined && barrier.until >= now ? barrier.holder : undefined }
      }),
    )
  })
})

export interface BalanceOptions {
  /** This process. */
  readonly writer: string
  /** The number of partitions that it was started with. */
  readonly partitions: number
  /** Milliseconds. */
  readonly lease: number
  /** Streams to be shared out, in groups that are shared out each by itself. */
  readonly groups: ReadonlyArray<ReadonlyArray<string>>
  /** Both engines have just answered. */
  readonly onHeard: (now: number) => void
}

/** Which streams this process is to have. */
export interface Balance {
  readonly turnOf: (stream: string) => Turn
  /** Keeps its share for as long as it runs. */
  readonly keep: Effect.Effect<never, OtherPartitions, ClickHouse | Nats>
}

/**
 * Shares the streams out among the writer processes that live: each looks who there is and who owns what, and from that alone
 * knows which streams it is to claim or to give back. Whatever it sees, the lease in the ledger decides who owns a stream.
 */
export const makeBalance = ({ writer, partitions, lease, groups, onHeard }: BalanceOptions): Balance => {
  const wanted = new Set<string>()
  /** By a clock that nobody sets. */
  let announcedAt = Number.NEGATIVE_INFINITY
  const streams = groups.flat()

  const look = Effect.fnUntraced(function* (): Effect.fn.Return<
    void,
    ClickHouseError | NatsError | OtherPartitions,
    ClickHouse | Nats
  > {
    const { partitions: inForce = partitions, changingTo, isIdle, isRecorded } = yield* readArrangement
    const other = inForce === partitions ? changingTo : inForce
    if (other !== undefined || isIdle)
      return yield* new OtherPartitions({ partitions: other ?? inForce, mine: partitions })
    if (!isRecorded) yield* recordFirstPartitions(partitions)
    const { now } = yield* readStoreState
    if (performance.now() - announcedAt >= lease / 4) {
      // Over before its leases are, so that these are not left to one that died.
      yield* announce({ writer, partitions, until: now + Math.round((lease * 2) / 3) })
      announcedAt = performance.now()
    }
    const others = (yield* readPresences(now))
      .filter((presence) => presence.partitions === partitions && presence.writer !== writer)
      .map((presence) => presence.writer)
    // Whatever a replica that lags behind says, this one lives.
    const writers = [...others, writer].toSorted()
    const standings = yield* readStandings(streams, now)
    for (const { stream, owner } of standings)
      if (owner !== undefined && owner !== writer && writers.includes(owner)) wanted.delete(stream)
    for (const group of groups) {
      const { take, give } = movesOf(
        writer,
        writers,
        standings.filter(({ stream }) => group.includes(stream)),
        wanted,
      )
      for (const stream of take) wanted.add(stream)
      for (const stream of give) wanted.delete(stream)
      if (give.length > 0)
        yield* Effect.logInfo("leaves streams to other writers").pipe(
          Effect.annotateLogs({ streams: give, writers: writers.length }),
        )
    }
    onHeard(Date.now())
  })

  return {
    turnOf: (stream) => ({
      mayTake: () => wanted.has(stream),
      mustGive: () => !wanted.has(stream),
    }),
    keep: look().pipe(
      Effect.catchTag(["ClickHouseError", "NatsError"], (error) => Effect.logWarning(error.message)),
      Effect.andThen(Effect.sleep(Math.max(200, lease / 10))),
      Effect.forever,
    ),
  }
}
