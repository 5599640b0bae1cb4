import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { RetentionPolicy, StorageType } from "@nats-io/jetstream"
import { OwnBroker } from "../../test/own-broker.ts"
import { Nats } from "./connection.ts"
import { type Message, Publisher, PublishError, type PublisherOptions } from "./publisher.ts"

const makeStream = (name: string, config: object = {}) =>
  Effect.flatMap(Nats, ({ manager }) =>
    Effect.promise(() =>
      manager.streams.add({
        name,
        subjects: [`${name}.>`],
        retention: RetentionPolicy.Limits,
        storage: StorageType.File,
        ...config,
      }),
    ),
  )

const open = (options: PublisherOptions = {}) =>
  Effect.acquireRelease(
    Effect.map(Nats, ({ connection }) => Publisher.open(connection, options)),
    (publisher) => Effect.promise(() => publisher.close()),
  )

const message = (stream: string, n: number): Message => ({
  subject: `${stream}.x`,
  messageId: `id-${n}`,
  payload: Buffer.from(`payload ${n}`),
})

const messagesIn = (stream: string) =>
  Effect.flatMap(Nats, ({ manager }) =>
    Effect.map(
      Effect.promise(() => manager.streams.info(stream)),
      ({ state }) => state.messages,
    ),
  )

const failure = (promise: Promise<unknown>): Effect.Effect<PublishError> =>
  Effect.promise(async () => {
    try {
      await promise
    } catch (error) {
      if (error instanceof PublishError) return error
      throw error
    }
    throw new Error("it was acknowledged")
  })

layer(OwnBroker.layer, { excludeTestServices: true })("the publisher", (it) => {
  it.effect("resolves with the stream's acknowledgement, and says when the stream held it already", () =>
    Effect.gen(function* () {
      yield* makeStream("ACK")
      const publisher = yield* open()
      const first = yield* Effect.promise(() => publisher.publish(message("ACK", 1)))
      expect(first).toEqual({ stream: "ACK", seq: 1, duplicate: false })
      const second = yield* Effect.promise(() => publisher.publish(message("ACK", 2)))
      expect(second).toEqual({ stream: "ACK", seq: 2, duplicate: false })
      const again = yield* Effect.promise(() => publisher.publish(message("ACK", 1)))
      expect(again).toEqual({ stream: "ACK", seq: 1, duplicate: true })
      expect(yield* messagesIn("ACK")).toBe(2)
    }),
  )

  it.effect("sends payload, id and headers as they are", () =>
    Effect.gen(function* () {
      yield* makeStream("AS_IS")
      const { manager } = yield* Nats
      const publisher = yield* open()
      const payload = Uint8Array.from({ length: 256 }, (_, n) => n)
      const headers = { "X-One": "1", "X-Two": "a b" }
      yield* Effect.promise(() => publisher.publish({ ...message("AS_IS", 1), payload, headers }))
      const stored = yield* Effect.promise(() => manager.streams.getMessage("AS_IS", { seq: 1 }))
      expect(Buffer.from(stored?.data ?? []).equals(payload)).toBe(true)
      expect(stored?.header.get("Nats-Msg-Id")).toBe("id-1")
      expect([stored?.header.get("X-One"), stored?.header.get("X-Two")]).toEqual(["1", "a b"])
    }),
  )

  it.effect("has many on their way, each with its own acknowledgement, however few may be at once", () =>
    Effect.gen(function* () {
      yield* makeStream("MANY")
      const publisher = yield* open({ maxInFlight: 50 })
      const acknowledgements = yield* Effect.promise(() =>
        Promise.all(Array.from({ length: 5000 }, (_, n) => publisher.publish(message("MANY", n)))),
      )
      expect(new Set(acknowledgements.map(({ seq }) => seq)).size).toBe(5000)
      expect(yield* messagesIn("MANY")).toBe(5000)
    }),
  )

  it.effect("is told what the stream refuses", () =>
    Effect.gen(function* () {
      yield* makeStream("SMALL", { max_msg_size: 100 })
      const publisher = yield* open()
      const refused = yield* failure(
        publisher.publish({ ...message("SMALL", 1), payload: Buffer.alloc(1000) }),
      )
      expect(refused).toMatchObject({
        reason: "rejected",
        detail: "message size exceeds maximum allowed (400)",
      })
    }),
  )

  it.effect("gives up where no stream listens, not before its time", () =>
    Effect.gen(function* () {
      const publisher = yield* open({ giveUpAfter: 700, ackTimeout: 100 })
      const began = Date.now()
      const error = yield* failure(publisher.publish(message("NOBODY", 1)))
      expect(error.reason).toBe("timeout")
      expect(Date.now() - began).toBeGreaterThanOrEqual(700)
    }),
  )

  it.effect("sends again under the same id until a stream is there", () =>
    Effect.gen(function* () {
      const publisher = yield* open({ ackTimeout: 200 })
      const publishing = publisher.publish(message("LATER", 1))
      const others = [2, 3].map((n) => publisher.publish(message("LATER", n)))
      yield* makeStream("LATER")
      expect(yield* Effect.promise(() => publishing)).toMatchObject({ stream: "LATER" })
      yield* Effect.promise(() => Promise.all(others))
      expect(yield* messagesIn("LATER")).toBe(3)
    }),
  )

  it.effect("takes for no acknowledgement what a cluster's leader says of an id that it has not stored", () =>
    Effect.gen(function* () {
      const { connection } = yield* Nats
      const answers = [
        { stream: "LEADER", seq: 0, duplicate: true },
        { error: { code: 409, err_code: 10_158, description: "duplicate message id is in process" } },
        { stream: "LEADER", seq: 7 },
      ]
      const subscription = connection.subscribe("LEADER.x", {
        callback: (_, asked) => void asked.respond(JSON.stringify(answers.shift())),
      })
      const publisher = yield* open({ ackTimeout: 100 })
      const acknowledgement = yield* Effect.promise(() => publisher.publish(message("LEADER", 1)))
      expect(acknowledgement).toEqual({ stream: "LEADER", seq: 7, duplicate: false })
      expect(answers).toEqual([])
      subscription.unsubscribe()
    }),
  )

  it.effect("loses and doubles nothing when the server is killed and started again", () =>
    Effect.gen(function* () {
      yield* makeStream("KILLED")
      const broker = yield* OwnBroker
      const publisher = yield* open({ ackTimeout: 500 })
      const first = Array.from({ length: 500 }, (_, n) => publisher.publish(message("KILLED", n)))
      yield* Effect.promise(() => Promise.all(first.slice(0, 100)))
      yield* broker.kill()
      const second = Array.from({ length: 500 }, (_, n) => publisher.publish(message("KILLED", 500 + n)))
      yield* broker.start
      yield* Effect.promise(() => Promise.all([...first, ...second]))
      expect(yield* messagesIn("KILLED")).toBe(1000)
    }),
  )

  it.effect("waits for what is on its way before it closes, and takes nothing after", () =>
    Effect.gen(function* () {
      yield* makeStream("CLOSED")
      const { connection } = yield* Nats
      const publisher = Publisher.open(connection)
      const publishing = Promise.all(
        Array.from({ length: 100 }, (_, n) => publisher.publish(message("CLOSED", n))),
      )
      yield* Effect.promise(() => publisher.close())
      expect(yield* messagesIn("CLOSED")).toBe(100)
      expect((yield* Effect.promise(() => publishing)).length).toBe(100)
      expect((yield* failure(publisher.publish(message("CLOSED", 101)))).reason).toBe("closed")
    }),
  )
})
