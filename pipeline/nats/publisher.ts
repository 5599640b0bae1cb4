import {
  createInbox,
  headers as makeHeaders,
  type Msg,
  type NatsConnection,
  type Subscription,
} from "@nats-io/transport-node"

export interface Message {
  readonly subject: string
  /** `Nats-Msg-Id`: what the broker drops repeats by. */
  readonly messageId: string
  readonly payload: Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

/** The stream's word that it holds the message. */
export interface Acknowledgement {
  readonly stream: string
  readonly seq: number
  /** The stream held a message of this id already; this one was dropped. */
  readonly duplicate: boolean
}

export interface PublisherOptions {
  /** Messages that may wait for their acknowledgement; `publish` waits beyond it. */
  readonly maxInFlight?: number
  /** Milliseconds after which an unacknowledged message is sent again, under the same id. */
  readonly ackTimeout?: number
  /** Milliseconds after which `publish` gives up. */
  readonly giveUpAfter?: number
}

/**
 * A message was not acknowledged.
 * - `timeout`: it may or may not be stored; publishing it again under the same id is safe.
 * - `rejected`: the stream refused it, `detail` says why.
 * - `closed`: the publisher was closed before.
 */
export class PublishError extends Error {
  readonly _tag = "PublishError"
  readonly reason: "timeout" | "rejected" | "closed"
  readonly detail: string
  constructor(reason: PublishError["reason"], detail: string) {
    super(`publish ${reason}: ${detail}`)
    this.reason = reason
    this.detail = detail
  }
}

interface Pending {
  readonly message: Message
  readonly giveUpAt: number
  resendAt: number
  readonly resolve: (acknowledgement: Acknowledgement) => void
  readonly reject: (error: PublishError) => void
}

interface Reply {
  readonly stream?: string
  readonly seq?: number
  readonly duplicate?: boolean
  readonly error?: { readonly code: number; readonly err_code?: number; readonly description: string }
}

/**
 * A cluster's leader knows the id from a message that it has not stored, and perhaps never will after a change of
 * leader. Older servers say that it is a duplicate of the message 0.
 */
const NOT_STORED_YET = 10_158

const SWEEP = 100

/**
 * Publishes with an acknowledgement for each message and many messages on their way. The client's own publish is a
 * request each; here one subscription takes all acknowledgements, told apart by a token in the reply subject, which
 * is some four times as fast. An unacknowledged message is sent again under its id, so the broker keeps one.
 */
export class Publisher {
  readonly #connection: NatsConnection
  readonly #inbox = createInbox()
  readonly #subscription: Subscription
  readonly #pending = new Map<string, Pending>()
  readonly #waiting: Array<() => void> = []
  readonly #idle: Array<() => void> = []
  readonly #sweeper: NodeJS.Timeout
  readonly #maxInFlight: number
  readonly #ackTimeout: number
  readonly #giveUpAfter: number
  #token = 0
  #reserved = 0
  #closed = false

  private constructor(connection: NatsConnection, options: PublisherOptions) {
    this.#connection = connection
    this.#maxInFlight = options.maxInFlight ?? 4096
    this.#ackTimeout = options.ackTimeout ?? 5000
    this.#giveUpAfter = options.giveUpAfter ?? 30_000
    this.#subscription = connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error === null) this.#acknowledge(message)
      },
    })
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP)
  }

  static open(connection: NatsConnection, options: PublisherOptions = {}): Publisher {
    return new Publisher(connection, options)
  }

  /** Resolves when the stream has acknowledged the message. */
  async publish(message: Message): Promise<Acknowledgement> {
    while (this.#reserved >= this.#maxInFlight && !this.#closed)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    if (this.#closed) throw new PublishError("closed", "the publisher is closed")
    this.#reserved++
    try {
      return await new Promise<Acknowledgement>((resolve, reject) => {
        const now = Date.now()
        const token = (++this.#token).toString(36)
        this.#pending.set(token, {
          message,
          resendAt: now + this.#ackTimeout,
          giveUpAt: now + this.#giveUpAfter,
          resolve,
          reject,
        })
        this.#send(token, message)
      })
    } finally {
      this.#reserved--
      this.#waiting.shift()?.()
      if (this.#reserved === 0) for (const resolve of this.#idle.splice(0)) resolve()
    }
  }

  /** Waits for what is on its way, then takes no more. */
  async close(): Promise<void> {
    while (this.#reserved > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
    this.#closed = true
    clearInterval(this.#sweeper)
    this.#subscription.unsubscribe()
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #send(token: string, { subject, messageId, payload, headers }: Message): void {
    const h = makeHeaders()
    h.set("Nats-Msg-Id", messageId)
    for (const name in headers) h.set(name, headers[name] ?? "")
    try {
      this.#connection.publish(subject, payload, { headers: h, reply: `${this.#inbox}.${token}` })
    } catch (cause) {
      this.#settle(token)?.reject(new PublishError("closed", (cause as Error).message))
    }
  }

  #settle(token: string): Pending | undefined {
    const pending = this.#pending.get(token)
    this.#pending.delete(token)
    return pending
  }

  #acknowledge(message: Msg): void {
    const token = message.subject.slice(this.#inbox.length + 1)
    const pending = this.#pending.get(token)
    if (pending === undefined) return
    // No stream listens yet, or its leader is being elected: the sweep sends again.
    if (message.headers?.code === 503) {
      pending.resendAt = Math.min(pending.resendAt, Date.now() + SWEEP)
      return
    }
    const reply = message.json<Reply>()
    if (reply.error !== undefined) {
      const { code, err_code, description } = reply.error
      // Sent again when its time has come.
      if (err_code === NOT_STORED_YET) return
      if (code === 503) pending.resendAt = Math.min(pending.resendAt, Date.now() + SWEEP)
      else this.#settle(token)?.reject(new PublishError("rejected", `${description} (${code})`))
      return
    }
    if (reply.seq === undefined || reply.seq === 0) return
    this.#settle(token)?.resolve({
      stream: reply.stream ?? "",
      seq: reply.seq,
      duplicate: reply.duplicate === true,
    })
  }

  #sweep(): void {
    const now = Date.now()
    for (const [token, pending] of this.#pending) {
      if (now >= pending.giveUpAt)
        this.#settle(token)?.reject(
          new PublishError("timeout", `no acknowledgement after ${this.#giveUpAfter} ms`),
        )
      else if (now >= pending.resendAt) {
        pending.resendAt = now + this.#ackTimeout
        this.#send(token, pending.message)
      }
    }
  }
}
