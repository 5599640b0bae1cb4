import type { JetStreamManager } from "@nats-io/jetstream"
import { AckPolicy, DeliverPolicy, jetstreamManager, ReplayPolicy } from "@nats-io/jetstream"
import { createInbox, type Msg, type NatsConnection, type Subscription } from "@nats-io/transport-node"
import { originalSubject } from "#schemas/partitions.ts"
import { SENT_ON_HEADER } from "#schemas/sent-on.ts"
import { nextSequence } from "./next-message.ts"
import { placeOf } from "./place.ts"

/** One message as the stream holds it. */
export interface StreamMessage {
  readonly seq: number
  /** When the stream received it, milliseconds since 1970. */
  readonly receivedAt: number
  /** As it was sent, whatever the broker mapped it to. */
  readonly subject: string
  /** The header `Nats-Msg-Id`. */
  readonly messageId: string | undefined
  /** The header of an event that was sent on from another stream. Anybody may have written it. */
  readonly sentOn?: string | undefined
  readonly payload: Uint8Array
}

export interface ReaderOptions {
  readonly stream: string
  /** The first sequence to deliver; the next one that exists, when it is gone. */
  readonly from: number
  /** Leaves out everything but these subjects. */
  readonly filter?: string
  /** Messages asked for at once; also the bound of what arrives after `pause`. */
  readonly window: number
  /** Bytes asked for at once, which bounds memory when messages are large. */
  readonly windowBytes: number
  readonly onMessage: (message: StreamMessage, waiting: number) => void
  /** The reader lost its place and goes on behind the last message; nothing is skipped. */
  readonly onRestart?: (cause: string) => void
}

const EXPIRES = 30_000
const HEARTBEAT = 1_000
/** Without any sign of the server for this long, the consumer is taken for lost: it lives on one server of a cluster alone. */
const SILENCE = 4_000
/** Without a message for this long, the stream's leader is asked whether there is one. */
const STALL = 2_000
const RETRY = 250
/**
 * For the answer that a consumer is made, at first and at most. A cluster puts it on any of its servers, and one that hangs
 * never answers (seen on 2.10.27: it serves its streams, and applies nothing of the cluster's log); the next may be another.
 */
const PATIENCE = { first: 1000, most: 5000 }
const NANOS = 1_000_000

/**
 * Reads a stream in order from a sequence on, without acknowledgements: the reader's owner remembers how far it
 * came. A pull consumer that asks for a bounded number of messages and bytes at a time, so a paused reader holds no
 * more than its window. A delivery out of order, a lost consumer, a reconnect: it makes another consumer that
 * starts behind the last message.
 */
export class StreamReader {
  readonly #connection: NatsConnection
  readonly #manager: JetStreamManager
  readonly #options: ReaderOptions
  #subscription: Subscription | undefined
  #consumer: string | undefined
  #next: number
  #delivery = 0
  #requested = 0
  #paused = false
  #stopped = false
  #heardAt = Date.now()
  /** When a message came, or the leader said that there is none. */
  #currentAt = Date.now()
  #asking = false
  /** What came behind a gap, while the leader is asked about it. */
  #held: Array<Msg> | undefined
  /** The first message behind a gap that the leader knows of. */
  #behindGap = 0
  #starting: Promise<void> | undefined
  readonly #watchdog: NodeJS.Timeout

  private constructor(connection: NatsConnection, manager: JetStreamManager, options: ReaderOptions) {
    this.#connection = connection
    this.#manager = manager
    this.#options = options
    this.#next = Math.max(1, options.from)
    this.#watchdog = setInterval(() => {
      // Heartbeats come only while a request is open.
      if (this.#requested > 0 && Date.now() - this.#heardAt > SILENCE) this.#restart("silence")
    }, 1000)
    this.#start()
  }

  static open(connection: NatsConnection, manager: JetStreamManager, options: ReaderOptions): StreamReader {
    return new StreamReader(connection, manager, options)
  }

  /** Asks for no more. What was asked for already, a window at most, still arrives. */
  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#request()
  }

  /** No message is delivered after it. It waits for nobody, so a server that hangs holds nothing up. */
  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    clearInterval(this.#watchdog)
    this.#subscription?.unsubscribe()
    this.#subscription = undefined
    if (this.#starting === undefined) this.#dropConsumer()
    else void this.#starting.then(() => this.#dropConsumer())
  }

  /** The server drops an unused consumer by itself; this only saves it the wait. */
  #dropConsumer(): void {
    const consumer = this.#consumer
    if (consumer !== undefined && !this.#connection.isClosed())
      void this.#manager.consumers.delete(this.#options.stream, consumer).catch(() => undefined)
  }

  #restart(cause: string): void {
    if (this.#stopped || this.#starting !== undefined) return
    this.#options.onRestart?.(cause)
    this.#start()
  }

  #start(): void {
    this.#starting = this.#open().finally(() => {
      this.#starting = undefined
    })
  }

  async #open(): Promise<void> {
    const { stream, filter } = this.#options
    for (let patience = PATIENCE.first; !this.#stopped; patience = Math.min(2 * patience, PATIENCE.most)) {
      try {
        this.#subscription?.unsubscribe()
        this.#held = undefined
        this.#heardAt = Date.now()
        const manager = await jetstreamManager(this.#connection, { timeout: patience, checkAPI: false })
        const info = await manager.consumers.add(stream, {
          ack_policy: AckPolicy.None,
          deliver_policy: DeliverPolicy.StartSequence,
          opt_start_seq: this.#next,
          replay_policy: ReplayPolicy.Instant,
          inactive_threshold: 60_000 * NANOS,
          mem_storage: true,
          num_replicas: 1,
          ...(filter === undefined ? {} : { filter_subject: filter }),
        })
        this.#consumer = info.name
        if (this.#stopped) return
        this.#delivery = 0
        this.#requested = 0
        this.#heardAt = Date.now()
        const inbox = createInbox()
        const subscription = this.#connection.subscribe(inbox, {
          callback: (error, message) => {
            if (error === null && subscription === this.#subscription) this.#receive(message)
          },
        })
        this.#subscription = subscription
        this.#request()
        return
      } catch {
        // The stream or the server is away: for as long as it takes.
        await new Promise((resolve) => setTimeout(resolve, RETRY))
      }
    }
  }

  #request(): void {
    const { stream, window, windowBytes } = this.#options
    if (this.#paused || this.#stopped || this.#subscription === undefined) return
    if (this.#requested > window / 2) return
    const batch = window - this.#requested
    this.#requested += batch
    this.#connection.publish(
      `$JS.API.CONSUMER.MSG.NEXT.${stream}.${this.#consumer}`,
      JSON.stringify({
        batch,
        max_bytes: windowBytes,
        expires: EXPIRES * NANOS,
        idle_heartbeat: HEARTBEAT * NANOS,
      }),
      { reply: this.#subscription.getSubject() },
    )
  }

  /**
   * A consumer reads what its server holds, and a server that was killed and started again may lag behind the stream's
   * leader for minutes, with heartbeats all the while (seen on 2.10.27). Another consumer may lie on another server.
   */
  async #askLeader(): Promise<void> {
    const { stream, filter } = this.#options
    const subscription = this.#subscription
    const from = this.#next
    this.#asking = true
    try {
      const next = await nextSequence(this.#manager, stream, from, filter)
      if (this.#subscription !== subscription || this.#next !== from) return
      this.#currentAt = Date.now()
      if (next !== undefined) this.#restart("stalled")
    } catch {
      // Nobody leads, or nobody answers: the next heartbeat asks again.
    } finally {
      this.#asking = false
    }
  }

  #receive(message: Msg): void {
    this.#heardAt = Date.now()
    if (message.reply?.startsWith("$JS.ACK.") !== true) this.#status(message)
    else if (this.#held === undefined) this.#take(message, message.reply)
    else this.#held.push(message)
  }

  /**
   * That messages have left the stream is for its leader to say: the consumer's server may lack what the others hold. What
   * came behind the gap waits for its word.
   */
  async #askAboutGap(seq: number): Promise<void> {
    const subscription = this.#subscription
    const isOver = () => this.#stopped || this.#subscription !== subscription
    let next: number | undefined
    for (let answered = false; !answered && !isOver();)
      try {
        next = await nextSequence(this.#manager, this.#options.stream, this.#next)
        answered = true
      } catch {
        await new Promise((resolve) => setTimeout(resolve, RETRY))
      }
    if (isOver()) return
    const held = this.#held ?? []
    this.#held = undefined
    if (next !== undefined && next < seq) {
      this.#subscription?.unsubscribe()
      this.#subscription = undefined
      this.#restart("lacking")
      return
    }
    this.#behindGap = seq
    for (const message of held) if (!isOver()) this.#receive(message)
  }

  #take(message: Msg, reply: string): void {
    const { seq, delivery, receivedAt, waiting } = placeOf(reply)
    if (delivery !== this.#delivery + 1) {
      this.#subscription?.unsubscribe()
      this.#subscription = undefined
      this.#restart("gap")
      return
    }
    if (seq > this.#next && seq !== this.#behindGap && this.#options.filter === undefined) {
      this.#held = [message]
      void this.#askAboutGap(seq)
      return
    }
    this.#delivery = delivery
    this.#next = seq + 1
    this.#currentAt = this.#heardAt
    this.#requested--
    this.#options.onMessage(
      {
        seq,
        receivedAt,
        subject: originalSubject(message.subject),
        messageId: message.headers?.get("Nats-Msg-Id") || undefined,
        sentOn: message.headers?.get(SENT_ON_HEADER) || undefined,
        payload: message.data,
      },
      waiting,
    )
    this.#request()
  }

  #status(message: Msg): void {
    const code = message.headers?.code ?? 0
    // 100 is a heartbeat.
    if (code === 100) {
      if (this.#heardAt - this.#currentAt > STALL && !this.#asking && this.#held === undefined)
        void this.#askLeader()
      return
    }
    const unanswered = Number(message.headers?.get("Nats-Pending-Messages") ?? Number.NaN)
    // 408: the request expired; 409 with what is pending: its bytes are used up. Both end one request.
    if ((code === 408 || code === 409) && Number.isInteger(unanswered)) {
      this.#requested = Math.max(0, this.#requested - unanswered)
      this.#request()
      return
    }
    this.#subscription?.unsubscribe()
    this.#subscription = undefined
    this.#restart(`status ${code}`)
  }
}
