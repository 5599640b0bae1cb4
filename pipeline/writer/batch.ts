import type { StreamMessage } from "#nats/reader.ts"
import type { ActionRow, Judge } from "./action-row.ts"
import type { DeadLetter } from "./dead-letters.ts"
import type { Astray } from "./forward.ts"
import type { FlushTrigger } from "./metrics.ts"

/** Consecutive messages of the stream, judged: what is inserted, dead-lettered and committed together. */
export interface Batch {
  readonly trigger: FlushTrigger
  readonly rows: ReadonlyArray<ActionRow>
  readonly letters: ReadonlyArray<DeadLetter>
  readonly astray: ReadonlyArray<Astray>
  readonly messages: number
  /** Those of them that are of people who were erased. */
  readonly erased: number
  readonly first: number
  /** The last message: where `committed` will stand. */
  readonly last: Pick<StreamMessage, "seq" | "messageId" | "receivedAt">
}

export interface BatchLimits {
  readonly rows: number
  /** Bytes of payload. */
  readonly bytes: number
  /** Milliseconds from a batch's first message until it is cut. */
  readonly interval: number
}

/** The payload is part of a larger buffer, which a kept view would keep alive. */
const kept = (message: StreamMessage): StreamMessage => ({
  ...message,
  payload: new Uint8Array(message.payload),
})

/** Gathers messages into batches. Plain and synchronous: it is the hot path. Times are milliseconds since 1970. */
export class Batcher {
  readonly #judge: Judge
  readonly #stream: string
  readonly #limits: BatchLimits
  readonly #isOwn: (tenant: string) => boolean
  #rows: Array<ActionRow> = []
  #letters: Array<DeadLetter> = []
  #astray: Array<Astray> = []
  #messages = 0
  #erased = 0
  #bytes = 0
  #first = 0
  #last: Batch["last"] | undefined
  #openedAt = 0

  constructor(judge: Judge, stream: string, limits: BatchLimits, isOwn: (tenant: string) => boolean) {
    this.#judge = judge
    this.#stream = stream
    this.#limits = limits
    this.#isOwn = isOwn
  }

  /** Takes a message; returns the batch that it fills, if it does. */
  add(message: StreamMessage, now: number): Batch | undefined {
    if (this.#last === undefined) {
      this.#first = message.seq
      this.#openedAt = now
    }
    const judged = this.#judge.judge(message)
    if (judged.ok)
      if (this.#isOwn(judged.row.tenant)) this.#rows.push(judged.row)
      else this.#astray.push({ row: judged.row, message: kept(message) })
    else if (judged.reason === "erased") this.#erased++
    else
      this.#letters.push({
        stream: this.#stream,
        message: kept(message),
        reason: judged.reason,
        detail: judged.detail,
      })
    this.#last = message
    this.#messages++
    this.#bytes += message.payload.byteLength
    if (this.#messages >= this.#limits.rows) return this.#cut("rows")
    if (this.#bytes >= this.#limits.bytes) return this.#cut("bytes")
    return undefined
  }

  /** Cuts the open batch when it is old enough. */
  tick(now: number): Batch | undefined {
    return this.#last !== undefined && now - this.#openedAt >= this.#limits.interval
      ? this.#cut("time")
      : undefined
  }

  #cut(trigger: FlushTrigger): Batch {
    const { seq = 0, messageId, receivedAt = 0 } = this.#last ?? {}
    const batch: Batch = {
      trigger,
      rows: this.#rows,
      letters: this.#letters,
      astray: this.#astray,
      messages: this.#messages,
      erased: this.#erased,
      first: this.#first,
      last: { seq, messageId, receivedAt },
    }
    this.#rows = []
    this.#letters = []
    this.#astray = []
    this.#messages = 0
    this.#erased = 0
    this.#bytes = 0
    this.#last = undefined
    return batch
  }
}
