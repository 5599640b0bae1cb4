import { Effect } from "effect"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { isAtLeast } from "#nats/version.ts"
import { Writer } from "./context.ts"
import { type Doubt, signal } from "./lease.ts"
import type { LeaseLost } from "./ledger.ts"
import { messageAt, movedBack } from "./marks.ts"
import { ownRecord } from "./settle.ts"

/**
 * From here on a new leader takes messages only when it knows all that was stored before it. Older ones were seen by
 * their authors to store a message again that the leader before had stored (nats-server's pull requests 6485 and 6486).
 */
const COMPLETE = [2, 11]
/** An election takes longer than this, so a leader that is seen twice within it was there all the time. */
const UNINTERRUPTED = 3000
const LOOK = "1 second"

/** What a writer saw last of the server that leads its stream. */
export interface Led {
  leader: string | undefined
  /** When it was asked. */
  at: number
  /** Up to here no message can be a repeat that a new leader took for a fresh one. */
  through: number | undefined
}

/** The stream's leader and end; undefined where a change of leader forgets nothing. */
const look = Effect.gen(function* () {
  const { options, led } = yield* Writer
  const { connection, manager } = yield* Nats
  if (isAtLeast(connection.info?.version ?? "0", COMPLETE)) return undefined
  const at = Date.now()
  const { config, cluster, state } = yield* attemptNats("look for the stream's leader", () =>
    manager.streams.info(options.stream),
  )
  if (config.num_replicas < 2) return undefined
  const leader = cluster?.leader
  const isSame = leader !== undefined && leader === led.leader && Date.now() - led.at < UNINTERRUPTED
  return { isSame, seen: { leader, at, through: state.last_seq } satisfies Led }
})

/** Tells the owner that its stream has, or may have had, another leader. */
export const watchLeader = Effect.fnUntraced(function* (doubt: Doubt) {
  const { led } = yield* Writer
  const watch = Effect.gen(function* () {
    const found = yield* look
    if (found?.isSame === true) Object.assign(led, found.seen)
    else if (found?.isSame === false) yield* signal(doubt, "leader_changed")
  })
  return yield* watch.pipe(
    // Who does not answer is noticed by the next look, which comes too late to be uninterrupted.
    Effect.ignore,
    Effect.andThen(Effect.sleep(LOOK)),
    Effect.forever,
  )
})

/**
 * After a change of leader that may have made the broker forget ids, everything is looked up until its window has
 * passed, and what was committed since the last leader was seen is declared doubtful: a repeat may be among it.
 */
export const checkLeader = Effect.fn("checkLeader")(function* (): Effect.fn.Return<
  void,
  NatsError | LeaseLost,
  Writer | Nats
> {
  const { ledger, options, led } = yield* Writer
  const found = yield* look
  if (found === undefined || found.isSame) return
  const record = yield* ownRecord
  const back = Math.min(record.committed, record.led_through ?? record.committed)
  const mark = back < record.committed ? yield* messageAt(options.stream, back) : undefined
  yield* ledger.change((mine) => ({
    ...(back < mine.committed ? movedBack(mine, back, mark) : mine),
    led_through: found.seen.through,
    look_up_all_until: Math.max(
      mine.look_up_all_until,
      Date.now() + options.duplicateWindow + options.maxClockAhead,
    ),
  }))
  Object.assign(led, found.seen)
  yield* Effect.logInfo("the stream may have had another leader: everything is looked up for a while").pipe(
    Effect.annotateLogs({ leader: found.seen.leader, from: back + 1 }),
  )
})
