import { Effect } from "effect"
import type { ClickHouse } from "#clickhouse"
import { readDeadLetterId } from "#schemas/dead-letter.ts"
import { STREAMS, SUBJECTS } from "#schemas/names.ts"
import { mappedSubject, tenantFilter } from "#schemas/partitions.ts"
import { attemptNats, Nats } from "#nats/connection.ts"
import type { StreamMessage } from "#nats/reader.ts"
import { matchesSubject } from "../replay/subject-filter.ts"
import { maintain, type MaintenanceError, type MaintenanceOptions } from "../writer/maintenance.ts"
import { Writer } from "../writer/context.ts"
import { openLedger } from "../writer/ledger.ts"
import type { Zones } from "../writer/zones.ts"
import { eraseFromDirectory, type NotApplied } from "./directory.ts"
import { isActionOf, isLetterOf } from "./mentions.ts"
import type { Person } from "./person.ts"
import { type Erasure, recordErasure } from "./record.ts"
import { eraseRows } from "./rows.ts"
import { purgeMessages, takeOut } from "./streams.ts"
import { writeTombstone } from "./tombstones.ts"

export interface EraseOptions<ExportsError> {
  readonly mode: Erasure["mode"]
  /** Who asked for it. */
  readonly by: string
  /** The stream of the tenant's actions. */
  readonly maintenance: MaintenanceOptions
  /** Other streams of actions, which may hold older messages of the tenant. */
  readonly elsewhere: ReadonlyArray<string>
  readonly zones: Zones
  /** Removes the tenant's finished exports, which may hold the person's rows or name; gives how many. */
  readonly removeExports: Effect.Effect<number, ExportsError, Nats>
}

/** The last sequence of the dead letters. */
const lastLetter = Effect.flatMap(Nats, ({ manager }) =>
  attemptNats("look at the dead letters", () => manager.streams.info(STREAMS.deadLetters)),
).pipe(Effect.map(({ state }) => state.last_seq))

/**
 * The rows of raw and the rollups, as the partition's owner, and how far messages and dead letters reach that belong to
 * them: every message up to `committed` is known to be stored or refused, and may leave the stream while the writer goes on.
 */
const eraseActions = (person: Person) =>
  Effect.gen(function* () {
    const { ledger } = yield* Writer
    const rows = yield* eraseRows(person)
    return { ...rows, committed: ledger.current()?.committed ?? 0, letters: yield* lastLetter }
  })

/** The subjects under which a stream holds a tenant's events, whatever the broker mapped them to. */
const subjectsHeld = Effect.fnUntraced(function* (tenant: string, stream: string) {
  const { manager } = yield* Nats
  const sent = `${SUBJECTS.actions}.${tenant}.>`
  const lookFor = (filter: string) =>
    attemptNats("look at the stream", () => manager.streams.info(stream, { subjects_filter: filter }))
  const plain = yield* lookFor(sent)
  const mapped = yield* lookFor(mappedSubject("*", sent))
  const held = [plain, mapped].flatMap(({ state }) => Object.keys(state.subjects ?? {}))
  return { taken: mapped.config.subjects, held }
})

/**
 * A person's messages in a stream of actions, up to a sequence, under whatever subject the broker stored them; gives how many. By
 * a subject that the stream does not take any more nothing can be read, so then all of it is.
 */
const purgeActions = Effect.fnUntraced(function* (person: Person, stream: string, to: number) {
  const { taken, held } = yield* subjectsHeld(person.tenant, stream)
  const filters = taken
    .flatMap((subject) => tenantFilter(subject, person.tenant) ?? [])
    .filter((filter) => held.some((subject) => matchesSubject(filter, subject)))
  const isReadable = held.every((subject) => filters.some((filter) => matchesSubject(filter, subject)))
  let purged = 0
  for (const filter of isReadable ? filters : [">"])
    purged += yield* purgeMessages({ stream, filter, to }, isActionOf(person))
  return purged
})

/** The same in a stream that another owner writes: up to what is committed there. */
const purgeElsewhere = Effect.fnUntraced(function* (person: Person, stream: string) {
  const record = yield* (yield* openLedger(stream, "reader")).peek
  return yield* purgeActions(person, stream, record?.committed ?? 0)
})

/** Dead letters, and the refused messages themselves; gives how many of each. */
const eraseLetters = Effect.fnUntraced(function* (person: Person, mode: Erasure["mode"], to: number) {
  const { manager } = yield* Nats
  let originals = 0
  /**
   * Before its letter: without one it would look like a message that was lost. It is the original when it says the same;
   * in another life of the stream another message stands under its sequence.
   */
  const takeOriginal = Effect.fnUntraced(function* ({ messageId, payload }: StreamMessage) {
    const place = readDeadLetterId(messageId ?? "")
    if (place === undefined) return
    const { stream, sequence } = place
    const message = yield* attemptNats("read a message", () =>
      manager.streams.getMessage(stream, { seq: sequence }),
    )
    if (message === null || !Buffer.from(message.data).equals(payload)) return
    yield* takeOut(stream, sequence)
    originals++
  })
  const letters = yield* purgeMessages(
    { stream: STREAMS.deadLetters, filter: `${SUBJECTS.deadLetters}.${person.tenant}.>`, to },
    isLetterOf(person, mode),
    takeOriginal,
  )
  return { letters, originals }
})

/**
 * Erases a person. `pseudonymise`: names and addresses go, everywhere; actions stay under the opaque id, so no number
 * changes. `delete`: the person's actions go, too, and a tombstone keeps them out for good. Broken off anywhere, it is ended
 * by doing it again.
 */
export const erase = Effect.fn("erase")(function* <ExportsError>(
  person: Person,
  { mode, by, maintenance, elsewhere, zones, removeExports }: EraseOptions<ExportsError>,
): Effect.fn.Return<Erasure, MaintenanceError | NotApplied | ExportsError, ClickHouse | Nats> {
  // First, so that whoever owns the partition from now on stores nothing more of the person.
  if (mode === "delete") yield* writeTombstone(person, by, "pending")
  const directory = yield* eraseFromDirectory(person, mode)
  const { events, keys, committed, letters } =
    mode === "delete"
      ? yield* maintain(maintenance, zones, eraseActions(person))
      : { events: 0, keys: 0, committed: 0, letters: yield* lastLetter }
  let purged = 0
  if (mode === "delete") {
    purged = yield* purgeActions(person, maintenance.stream, committed)
    for (const stream of elsewhere) purged += yield* purgeElsewhere(person, stream)
  }
  const refused = yield* eraseLetters(person, mode, letters)
  const erasure: Erasure = {
    mode,
    by,
    events,
    rollup_keys: keys,
    messages: directory + purged + refused.originals + refused.letters,
    dead_letters: refused.letters,
    exports: yield* removeExports,
  }
  yield* recordErasure(person, erasure)
  if (mode === "delete") yield* writeTombstone(person, by, "done")
  return erasure
})
