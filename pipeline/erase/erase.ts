import { Effect } from "effect"
import type { ClickHouse } from "#clickhouse"
import { readDeadLetterId } from "#schemas/dead-letter.ts"
import { STREAMS } from "#schemas/names.ts"
import { attemptNats, Nats } from "#nats/connection.ts"
import { maintain, type MaintenanceError, type MaintenanceOptions } from "../writer/maintenance.ts"
import { Writer } from "../writer/context.ts"
import { messageAt } from "../writer/marks.ts"
import type { Zones } from "../writer/zones.ts"
import { eraseFromDirectory } from "./directory.ts"
import { isActionOf, isLetterOf } from "./mentions.ts"
import type { Person } from "./person.ts"
import { type Erasure, recordErasure } from "./record.ts"
import { eraseRows } from "./rows.ts"
import { purgeMessages } from "./streams.ts"
import { writeTombstone } from "./tombstones.ts"

export interface EraseOptions {
  readonly mode: Erasure["mode"]
  /** Who asked for it. */
  readonly by: string
  /** The stream of the tenant's actions. */
  readonly maintenance: MaintenanceOptions
  readonly zones: Zones
  /** Removes the tenant's finished exports, which may hold the person's rows or name; gives how many. */
  readonly removeExports: Effect.Effect<number, { readonly message: string }, Nats>
}

/** The rows of raw and the rollups, and the messages of the stream up to what was committed then. */
const eraseActions = (person: Person) =>
  Effect.gen(function* () {
    const { ledger, options } = yield* Writer
    const { events, keys } = yield* eraseRows(person)
    const purged = yield* purgeMessages(options.stream, ledger.current()?.committed ?? 0, isActionOf(person))
    return { events, keys, purged }
  })

/** Takes one message out of a stream; one that is gone is out already. */
const takeOut = Effect.fnUntraced(function* (stream: string, seq: number) {
  const { manager } = yield* Nats
  if ((yield* messageAt(stream, seq)) === undefined) return
  yield* attemptNats("take a message out of a stream", () => manager.streams.deleteMessage(stream, seq, true))
})

const NOTHING = { events: 0, keys: 0, purged: 0 }

/**
 * Erases a person. `pseudonymise`: names and addresses go, everywhere; actions stay under the opaque id, so no number
 * changes. `delete`: the person's actions go, too, and a tombstone keeps them out for good. Broken off anywhere, it is ended
 * by doing it again.
 */
export const erase = Effect.fn("erase")(function* (
  person: Person,
  { mode, by, maintenance, zones, removeExports }: EraseOptions,
): Effect.fn.Return<Erasure, MaintenanceError | { readonly message: string }, ClickHouse | Nats> {
  const { manager } = yield* Nats
  // First, so that whoever owns the partition from now on stores nothing more of the person.
  if (mode === "delete") yield* writeTombstone(person, by, "pending")
  const directory = yield* eraseFromDirectory(person, mode)
  const actions = mode === "delete" ? yield* maintain(maintenance, zones, eraseActions(person)) : NOTHING
  const letters = yield* attemptNats("look at the dead letters", () =>
    manager.streams.info(STREAMS.deadLetters),
  )
  const originals: Array<{ readonly stream: string; readonly sequence: number }> = []
  const isLetter = isLetterOf(person, mode)
  const dead_letters = yield* purgeMessages(STREAMS.deadLetters, letters.state.last_seq, (message) => {
    const original = isLetter(message) ? readDeadLetterId(message.messageId ?? "") : undefined
    if (original !== undefined) originals.push(original)
    return original !== undefined
  })
  // A refused message without its dead letter would look like one that was lost, and it names the person as well.
  for (const { stream, sequence } of originals) yield* takeOut(stream, sequence)
  const erasure: Erasure = {
    mode,
    by,
    events: actions.events,
    rollup_keys: actions.keys,
    messages: directory + actions.purged + dead_letters,
    dead_letters,
    exports: yield* removeExports,
  }
  yield* recordErasure(person, erasure)
  if (mode === "delete") yield* writeTombstone(person, by, "done")
  return erasure
})
