import type { Message } from "#nats/publisher.ts"
import type { Random } from "../../deploy/demo/random.ts"

/** A message that must become a dead letter, whatever is wrong with it. */
export type Garbage = Omit<Message, "messageId"> & {
  /** Undefined: sent without the header. */
  readonly messageId: string | undefined
}

const bytes = (random: Random, length: number) => Buffer.from(Array.from({ length }, () => random.int(256)))

const text = (random: Random, length: number) =>
  String.fromCodePoint(
    ...Array.from({ length }, () => {
      const code = random.int(random.chance(0.3) ? 0x11_0000 : 0x300)
      // Half surrogates cannot be encoded.
      return code >= 0xd8_00 && code <= 0xdf_ff ? 0xff_fd : code
    }),
  )

/** Of another form, of another tenant, of another type. */
const SUBJECTS = [
  "actions.v1.x",
  "actions.v1.a.note",
  "actions.v1.a.note.logged.again",
  "actions.v1.A.note.logged",
  "actions.v1.a_b.note.logged",
  "actions.v1.ä.note.logged",
  `actions.v1.${"t".repeat(64)}.note.logged`,
  "actions.v1.a.Note.logged",
  "actions.v1.a.task.completed",
  "actions.v1.b.note.logged",
  "actions.v1.dead.v1.x",
] as const

type Value = Record<string, unknown>

/** Changes after which no event is valid any more. */
const SPOILED: ReadonlyArray<(event: Value, data: Value, random: Random) => Value> = [
  (event, _, random) => ({ ...event, id: text(random, 1 + random.int(50)) + "\u0000" }),
  (event) => ({ ...event, id: "x".repeat(101) }),
  (event, _, random) => ({ ...event, type: text(random, 20) }),
  (event) => ({ ...event, time: "2026-13-01T00:00:00Z" }),
  (event) => ({ ...event, time: 1e300 }),
  (event) => ({ ...event, time: "9999-12-31T23:59:59Z" }),
  (event) => ({ ...event, time: "0001-01-01T00:00:00Z" }),
  (event, _, random) => ({ ...event, tenantid: text(random, 5) }),
  (event) => ({ ...event, specversion: "0.3" }),
  (event, data) => ({ ...event, data: [data] }),
  (event) => ({ ...event, data: null }),
  (event, data) => ({ ...event, data: { ...data, quantity: 1e30 } }),
  (event, data) => ({ ...event, data: { ...data, quantity: -0.5 } }),
  (event, data) => ({ ...event, data: { ...data, actor_id: "someone@example.com" } }),
  (event, data) => ({ ...event, data: { ...data, actor_id: "" } }),
  (event, data) => ({ ...event, data: { ...data, __proto: 1 } }),
  (event, data, random) => ({ ...event, data: { ...data, [text(random, 70)]: 1 } }),
  (event, data, random) => ({ ...event, data: { ...data, page: text(random, 301) } }),
]

const deep = (depth: number) => "[".repeat(depth) + "]".repeat(depth)

/** Makes something that is no valid event out of a valid one; each with an id that nobody used. */
export const spoil = (random: Random, n: number, valid: Message): Garbage => {
  const payload = Buffer.from(valid.payload)
  const event = JSON.parse(payload.toString()) as Value
  const data = event["data"] as Value
  const id = `${valid.messageId}-garbage-${n}`
  const fresh = { ...event, id: id.slice(id.indexOf(":") + 1) }
  const encoded = Buffer.from(JSON.stringify(fresh))
  const message = { subject: valid.subject, messageId: id, payload: encoded }
  const truncate = (): Garbage => ({ ...message, payload: encoded.subarray(0, random.int(encoded.length)) })
  const kinds: readonly [() => Garbage, ...ReadonlyArray<() => Garbage>] = [
    truncate,
    () => ({ ...message, payload: bytes(random, random.int(2000)) }),
    () => ({ ...message, payload: Buffer.from(text(random, random.int(500))) }),
    // A byte that is not of JSON, anywhere: invalid UTF-8, or a control character in a string.
    () => {
      const broken = Buffer.from(encoded)
      broken[random.int(broken.length)] = random.chance(0.5) ? 0xff : 0x01
      return { ...message, payload: broken }
    },
    () => ({ ...message, payload: Buffer.alloc(0) }),
    () => ({ ...message, payload: Buffer.from(deep(1 + random.int(5000))) }),
    () => ({ ...message, payload: Buffer.from(`{"a":`.repeat(3000)) }),
    () => ({ ...message, payload: Buffer.from(`${encoded.toString().slice(0, -2)},"quantity":1e400}}`) }),
    () => ({ ...message, payload: Buffer.from(`${encoded.toString().slice(0, -1)},"id":"twice"}`) }),
    () => ({ ...message, payload: Buffer.concat([encoded, bytes(random, 33 * 1024)]) }),
    () => ({ ...message, subject: random.pick(SUBJECTS) }),
    () => ({
      ...message,
      subject: "actions.v1.l.espresso.brewed",
      payload: Buffer.from(JSON.stringify({ ...fresh, type: "espresso.brewed" })),
    }),
    () => ({ ...message, messageId: undefined }),
    () => ({ ...message, messageId: random.pick(["", ":", "x", "b:x", "a:", `a:${n}:replay:`, "🙂"]) + n }),
    () => ({
      ...message,
      payload: Buffer.from(
        JSON.stringify((SPOILED[random.int(SPOILED.length)] ?? (() => ({})))(fresh, data, random)),
      ),
    }),
  ]
  return random.pick(kinds)()
}

/** As large as the stream takes. */
export const huge = (n: number): Garbage => ({
  subject: "actions.v1.a.note.logged",
  messageId: `a:huge-${n}`,
  payload: Buffer.alloc(200 * 1024, n % 256),
})
