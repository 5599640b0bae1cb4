import { Effect } from "effect"
import { attemptNats, Nats, type NatsError } from "#nats/connection.ts"
import { nextMessage } from "#nats/next-message.ts"
import { sequenceAt } from "#nats/sequence-at.ts"
import { DEAD_LETTER_HEADERS, readDeadLetterId } from "#schemas/dead-letter.ts"
import { type Fate, isOpen } from "#schemas/fate.ts"
import { STREAMS, SUBJECTS } from "#schemas/names.ts"
import { REFUSAL_REASONS, type RefusalReason } from "#schemas/refusal.ts"
import { readFates } from "./fates.ts"

/** A message that could not be stored, as the stream of dead letters holds it. */
export interface Letter {
  /** Its sequence in that stream, by which it is named. */
  readonly id: number
  readonly tenant: string
  readonly reason: RefusalReason
  readonly detail: string
  readonly buriedAt: number
  /** Where the original stood. */
  readonly stream: string
  readonly generation: number
  readonly sequence: number
  readonly subject: string
  /** Milliseconds since 1970, as `buriedAt`. */
  readonly receivedAt: number
  /** The original's bytes. */
  readonly payload: Uint8Array
}

/** A letter and what became of it; undefined while nobody did anything about it. */
export interface Handled {
  readonly letter: Letter
  readonly fate: Fate | undefined
}

/** Header values were written with what is no printable ASCII escaped. */
const textOf = (header: string): string => {
  try {
    return decodeURI(header)
  } catch {
    return header
  }
}

/** The first letter at or behind a sequence with a subject that the filter names. */
const letterAt = Effect.fnUntraced(function* (filter: string, seq: number) {
  const { manager } = yield* Nats
  const message = yield* attemptNats("read a dead letter", () =>
    nextMessage(manager, STREAMS.deadLetters, seq, filter),
  )
  if (message === undefined) return undefined
  const [, , tenant = "", last = ""] = message.subject.split(".")
  const header = (name: string): string => message.header.get(name)
  const id = readDeadLetterId(header("Nats-Msg-Id"))
  const letter: Letter = {
    id: message.seq,
    tenant,
    reason: REFUSAL_REASONS.find((reason) => reason === last) ?? "invalid_event",
    detail: textOf(header(DEAD_LETTER_HEADERS.detail)),
    buriedAt: message.time.getTime(),
    stream: header(DEAD_LETTER_HEADERS.stream),
    generation: id?.generation ?? 1,
    sequence: Number(header(DEAD_LETTER_HEADERS.sequence)),
    subject: textOf(header(DEAD_LETTER_HEADERS.subject)),
    receivedAt: Date.parse(header(DEAD_LETTER_HEADERS.receivedAt)),
    payload: message.data,
  }
  return letter
})

const withFates = (letters: ReadonlyArray<Letter>): Effect.Effect<ReadonlyArray<Handled>, NatsError, Nats> =>
  Effect.map(readFates(letters), (fates) => letters.map((letter, n) => ({ letter, fate: fates[n] })))

/** One letter by its id; undefined when there is none, or when it is another tenant's. */
export const findLetter = Effect.fn("findLetter")(function* (
  tenant: string | undefined,
  id: number,
): Effect.fn.Return<Handled | undefined, NatsError, Nats> {
  const letter = yield* letterAt(`${SUBJECTS.deadLetters}.${tenant ?? "*"}.*`, id)
  return letter?.id === id ? (yield* withFates([letter]))[0] : undefined
})

export interface LetterFilter {
  /** Undefined: of every tenant. */
  readonly tenant?: string | undefined
  readonly reason?: RefusalReason | undefined
  /** Of this stream alone. */
  readonly stream?: string | undefined
  /** Buried since and before, milliseconds since 1970. */
  readonly since?: number | undefined
  readonly before?: number | undefined
  /** No letter behind this one: those that come while the list is read. */
  readonly upTo?: number | undefined
  /** Also those that were replayed or discarded. */
  readonly all: boolean
}

/** The last letter that there is. */
export const lastLetter: Effect.Effect<number, NatsError, Nats> = Effect.gen(function* () {
  const { manager } = yield* Nats
  const look = () => manager.streams.info(STREAMS.deadLetters)
  return (yield* attemptNats("look at the dead letters", look)).state.last_seq
})

/** Letters that one page looks at; what is handled already costs a look, too. */
const LOOKED_AT = 2000
/** Of payloads that one page holds, more or less. */
const PAGE_BYTES = 16 * 1024 * 1024

/**
 * A page of letters, oldest first. `next` is where the following page begins; undefined when there is none. A page may
 * hold fewer than it could where many were handled already.
 */
export const listLetters = Effect.fn("listLetters")(function* (
  { tenant = "*", reason, stream, since, before, upTo = Number.MAX_SAFE_INTEGER, all }: LetterFilter,
  page: { readonly from: number; readonly limit: number },
): Effect.fn.Return<
  { readonly letters: ReadonlyArray<Handled>; readonly next: number | undefined },
  NatsError,
  Nats
> {
  const filter = `${SUBJECTS.deadLetters}.${tenant}.${reason ?? "*"}`
  const first = since === undefined ? 1 : yield* sequenceAt(STREAMS.deadLetters, since)
  let seq = Math.max(page.from, first)
  let [looked, bytes] = [0, 0]
  const letters: Array<Handled> = []
  while (looked < LOOKED_AT && bytes < PAGE_BYTES && letters.length < page.limit) {
    const some: Array<Letter> = []
    let isLast = false
    for (; looked < LOOKED_AT && bytes < PAGE_BYTES && letters.length + some.length < page.limit; looked++) {
      const letter = yield* letterAt(filter, seq)
      isLast = letter === undefined || letter.id > upTo || (before !== undefined && letter.buriedAt >= before)
      if (letter === undefined || isLast) break
      seq = letter.id + 1
      bytes += letter.payload.byteLength
      if (stream === undefined || letter.stream === stream) some.push(letter)
    }
    letters.push(...(yield* withFates(some)).filter(({ fate }) => all || isOpen(fate)))
    if (isLast) return { letters, next: undefined }
  }
  return { letters, next: seq }
})
