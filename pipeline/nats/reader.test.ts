import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { type JetStreamManager, RetentionPolicy, StorageType } from "@nats-io/jetstream"
import { OwnBroker } from "../../test/own-broker.ts"
import { eventually } from "../../test/processes.ts"
import { Nats } from "./connection.ts"
import { Publisher } from "./publisher.ts"
import { type ReaderOptions, type StreamMessage, StreamReader } from "./reader.ts"

/** A stream that holds so many messages; further ones are published with what it returns. */
const streamOf = Effect.fnUntraced(function* (name: string, count: number, size = 10) {
  const { manager, connection } = yield* Nats
  yield* Effect.promise(() =>
    manager.streams.add({
      name,
      subjects: [`${name}.>`],
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
    }),
  )
  const publisher = yield* Effect.acquireRelease(
    Effect.sync(() => Publisher.open(connection, { ackTimeout: 500 })),
    (publisher) => Effect.promise(() => publisher.close()),
  )
  let n = 0
  const more = (some: number) =>
    Effect.promise(async () => {
      for (let sent = 0; sent < some; sent++) {
        n++
        await publisher.publish({
          subject: `${name}.${n % 2 === 0 ? "even" : "odd"}`,
          messageId: `id-${n}`,
          payload: Buffer.alloc(size, n % 256),
        })
      }
    })
  yield* more(count)
  return more
})

interface Reading {
  readonly reader: StreamReader
  readonly seqs: Array<number>
  readonly messages: Array<StreamMessage>
  readonly waiting: Array<number>
  readonly restarts: Array<string>
}

const open = (
  stream: string,
  options: Partial<ReaderOptions> = {},
  /** Whose word on the stream is asked for. */
  asked?: JetStreamManager,
) =>
  Effect.acquireRelease(
    Effect.map(Nats, ({ connection, manager: real }): Reading => {
      const manager = asked ?? real
      const [seqs, messages, waiting, restarts]: [
        Array<number>,
        Array<StreamMessage>,
        Array<number>,
        Array<string>,
      ] = [[], [], [], []]
      const reader = StreamReader.open(connection, manager, {
        stream,
        from: 1,
        window: 100,
        windowBytes: 1024 * 1024,
        onMessage: (message, left) => {
          seqs.push(message.seq)
          messages.push(message)
          waiting.push(left)
        },
        onRestart: (cause) => restarts.push(cause),
        ...options,
      })
      return { reader, seqs, messages, waiting, restarts }
    }),
    ({ reader }) => Effect.sync(() => reader.stop()),
  )

const from = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, n) => first + n)

layer(OwnBroker.layer, { excludeTestServices: true })("the reader", (it) => {
  it.effect("delivers every message once, in order, with all that the stream knows of it", () =>
    Effect.gen(function* () {
      const more = yield* streamOf("ORDER", 1000)
      const { seqs, messages, waiting } = yield* open("ORDER")
      yield* eventually(() => seqs.length >= 1000)
      yield* more(50)
      yield* eventually(() => seqs.length >= 1050)
      expect(seqs).toEqual(from(1, 1050))
      expect(messages[6]).toMatchObject({ seq: 7, subject: "ORDER.odd", messageId: "id-7" })
      expect(Buffer.from(messages[6]?.payload ?? []).equals(Buffer.alloc(10, 7))).toBe(true)
      expect(waiting.slice(0, 1000)).toEqual(from(0, 999).toReversed())
      const { manager } = yield* Nats
      const stored = yield* Effect.promise(() => manager.streams.getMessage("ORDER", { seq: 7 }))
      expect(messages[6]?.receivedAt).toBe(stored?.time.getTime())
    }),
  )

  it.effect("begins where it is told, and leaves out what it is told to", () =>
    Effect.gen(function* () {
      yield* streamOf("FROM", 100)
      const [later, filtered] = [
        yield* open("FROM", { from: 61 }),
        yield* open("FROM", { filter: "FROM.even" }),
      ]
      yield* eventually(() => later.seqs.length >= 40 && filtered.seqs.length >= 50)
      expect(later.seqs).toEqual(from(61, 100))
      expect(filtered.seqs).toEqual(from(1, 50).map((n) => n * 2))
    }),
  )

  it.effect("takes no gap and no end for one before the stream's leader has said so", () =>
    Effect.gen(function* () {
      yield* streamOf("LAGGING", 100)
      const { manager } = yield* Nats
      yield* Effect.promise(() => manager.streams.deleteMessage("LAGGING", 50))
      // A server that lacks what its leader holds cannot be had at will, so the leader's first words are made up.
      const madeUp = [50, 50, 51, 101]
      const getMessage: typeof manager.streams.getMessage = async (stream, query) => {
        const found = await manager.streams.getMessage(stream, query)
        const seq = madeUp.shift()
        return seq === undefined ? found : ({ seq } as typeof found)
      }
      const asked = new Proxy(manager, {
        get: (target, name) =>
          name === "streams"
            ? Object.assign(Object.create(target.streams), { getMessage })
            : Reflect.get(target, name),
      })
      const { seqs, restarts } = yield* open("LAGGING", {}, asked)
      yield* eventually(() => restarts.length === 3)
      expect(restarts).toEqual(["lacking", "lacking", "stalled"])
      expect(seqs).toEqual([...from(1, 49), ...from(51, 100)])
    }),
  )

  it.effect("says nothing of a message id that a message does not have", () =>
    Effect.gen(function* () {
      yield* streamOf("NO_ID", 0)
      const { jetstream } = yield* Nats
      yield* Effect.promise(() => jetstream.publish("NO_ID.x", ""))
      const { messages } = yield* open("NO_ID")
      yield* eventually(() => messages.length === 1)
      expect(messages[0]?.messageId).toBeUndefined()
      expect(messages[0]?.payload.byteLength).toBe(0)
    }),
  )

  it.effect("paused takes a window at most, and goes on without a gap when it is resumed", () =>
    Effect.gen(function* () {
      yield* streamOf("PAUSE", 2000)
      const reading: Reading = yield* open("PAUSE", {
        window: 100,
        onMessage: ({ seq }) => {
          reading.seqs.push(seq)
          if (seq === 10) reading.reader.pause()
        },
      })
      yield* eventually(() => reading.seqs.length >= 10)
      // A message to another reader that is asked for later comes after all that is still on its way.
      const other = yield* open("PAUSE", { from: 2000 })
      yield* eventually(() => other.seqs.length === 1)
      const atPause = reading.seqs.length
      expect(atPause).toBeLessThanOrEqual(110)
      reading.reader.resume()
      yield* eventually(() => reading.seqs.length >= 2000)
      expect(reading.seqs).toEqual(from(1, 2000))
    }),
  )

  it.effect("asks for few bytes at once and still comes through large messages", () =>
    Effect.gen(function* () {
      yield* streamOf("BYTES", 60, 20_000)
      const { seqs } = yield* open("BYTES", { windowBytes: 50_000 })
      yield* eventually(() => seqs.length >= 60)
      expect(seqs).toEqual(from(1, 60))
    }),
  )

  it.effect("goes over messages that were deleted from the stream", () =>
    Effect.gen(function* () {
      const more = yield* streamOf("HOLES", 20)
      const { manager } = yield* Nats
      const gone = [1, 2, 7, 8, 9, 20]
      yield* Effect.promise(async () => {
        for (const seq of gone) await manager.streams.deleteMessage("HOLES", seq)
      })
      const { seqs } = yield* open("HOLES")
      yield* more(1)
      yield* eventually(() => seqs.length >= 15)
      expect(seqs).toEqual(from(1, 21).filter((seq) => !gone.includes(seq)))
    }),
  )

  it.effect(
    "makes another consumer behind its last message when the server, which forgets it, is started again",
    () =>
      Effect.gen(function* () {
        const broker = yield* OwnBroker
        const more = yield* streamOf("KILLED", 50)
        const { seqs, restarts } = yield* open("KILLED")
        yield* eventually(() => seqs.length >= 50)
        yield* broker.kill()
        yield* broker.start
        yield* more(50)
        yield* eventually(() => seqs.length >= 100, 25)
        expect(seqs).toEqual(from(1, 100))
        expect(restarts.length).toBeGreaterThan(0)
      }),
    { timeout: 40_000 },
  )

  it.effect("delivers nothing once it is stopped", () =>
    Effect.gen(function* () {
      const more = yield* streamOf("STOPPED", 10)
      const reading = yield* open("STOPPED")
      yield* eventually(() => reading.seqs.length === 10)
      reading.reader.stop()
      const other = yield* open("STOPPED")
      yield* more(10)
      yield* eventually(() => other.seqs.length === 20)
      expect(reading.seqs.length).toBe(10)
      const { manager } = yield* Nats
      const consumers = yield* Effect.promise(
        async () => (await manager.streams.info("STOPPED")).state.consumer_count,
      )
      expect(consumers).toBe(1)
    }),
  )
})
