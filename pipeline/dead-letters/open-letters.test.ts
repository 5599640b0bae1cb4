import { expect, layer } from "@effect/vitest"
import { headers } from "@nats-io/transport-node"
import { Effect } from "effect"
import { attemptNats, Nats } from "#nats/connection.ts"
import { ensureTopology } from "#nats/topology.ts"
import { DEAD_LETTER_HEADERS, deadLetterId } from "#schemas/dead-letter.ts"
import type { Fate } from "#schemas/fate.ts"
import { deadLetterSubject, STREAMS } from "#schemas/names.ts"
import { changeFate } from "../../api/dead-letters/fates.ts"
import { findLetter } from "../../api/dead-letters/letters.ts"
import { OwnBroker } from "../../test/own-broker.ts"
import { OpenLetterCount } from "./open-letters.ts"

const TOPOLOGY = { duplicateWindow: 60_000, actionsMaxAge: 86_400_000, replicas: 1, partitions: 1 }

/** A dead letter of a message; gives its id. The broker drops what comes under an id once more. */
const bury = Effect.fnUntraced(function* (sequence: number, msgID = deadLetterId(STREAMS.actions, sequence)) {
  const { jetstream } = yield* Nats
  const told = headers()
  told.set(DEAD_LETTER_HEADERS.stream, STREAMS.actions)
  told.set(DEAD_LETTER_HEADERS.sequence, String(sequence))
  const subject = deadLetterSubject("acme", "invalid_json")
  const { seq } = yield* attemptNats("publish", () =>
    jetstream.publish(subject, "{", { msgID, headers: told }),
  )
  return seq
})

const become = Effect.fnUntraced(function* (id: number, fate: Fate["fate"]) {
  const found = yield* findLetter(undefined, id)
  if (found === undefined) throw new Error(`there is no letter ${id}`)
  yield* changeFate(found.letter, "test", () => ({ fate }))
})

const refusedAt = (id: number) => Effect.map(findLetter(undefined, id), (found) => found?.letter.buriedAt)

layer(OwnBroker.layer, { excludeTestServices: true })("open dead letters", (it) => {
  it.effect("are those of the stream of which nothing became, whatever was done, expired or was erased", () =>
    Effect.gen(function* () {
      yield* ensureTopology(TOPOLOGY)
      const { manager } = yield* Nats
      const letters = new OpenLetterCount()
      /** What one that has looked before knows, which must be what one knows that looks for the first time. */
      const open = Effect.gen(function* () {
        const known = yield* letters.look
        expect(yield* new OpenLetterCount().look).toEqual(known)
        return known
      })
      const count = Effect.map(open, (known) => known?.count)
      expect(yield* open).toEqual({ count: 0, oldest: undefined })

      const ids = yield* Effect.forEach([1, 2, 3, 4, 5, 6], (sequence) => bury(sequence))
      const [first = 0, second = 0, third = 0, fourth = 0, fifth = 0] = ids
      expect(yield* open).toEqual({ count: 6, oldest: yield* refusedAt(first) })
      yield* become(first, "discarded")
      expect(yield* open).toEqual({ count: 5, oldest: yield* refusedAt(second) })
      // About to be sent is not sent; and what was sent may be sent once more.
      yield* become(second, "replaying")
      expect(yield* count).toBe(5)
      yield* become(second, "replayed")
      expect(yield* count).toBe(4)
      yield* become(second, "replaying")
      expect(yield* count).toBe(5)
      yield* become(second, "replayed")

      // Of two letters of one message, whose id the broker had forgotten, what became of it holds for both.
      yield* bury(3, `dead:${STREAMS.actions}:03`)
      expect(yield* count).toBe(5)
      yield* become(third, "discarded")
      expect(yield* count).toBe(3)

      // Erased: one that is open, and one of which something became, whose fate stays.
      yield* Effect.promise(() => manager.streams.deleteMessage(STREAMS.deadLetters, fourth, true))
      expect(yield* count).toBe(2)
      yield* Effect.promise(() => manager.streams.deleteMessage(STREAMS.deadLetters, third, true))
      expect(yield* count).toBe(2)
      // Expired, all up to the fifth; the fates are there for as long again.
      yield* Effect.promise(() => manager.streams.purge(STREAMS.deadLetters, { seq: fifth + 1 }))
      expect(yield* count).toBe(1)
      yield* Effect.promise(() => manager.streams.purge(STREAMS.deadLetters))
      expect(yield* open).toEqual({ count: 0, oldest: undefined })
      yield* bury(7)
      expect(yield* count).toBe(1)

      // Another stream and another bucket, in which the same sequences are other messages.
      yield* Effect.promise(() => manager.streams.delete(STREAMS.deadLetters))
      yield* Effect.promise(() => manager.streams.delete("KV_dead-letters"))
      yield* ensureTopology(TOPOLOGY)
      for (let sequence = 1; sequence <= 9; sequence++) yield* bury(sequence)
      expect(yield* count).toBe(9)
    }),
  )
})
