import { describe, expect, it } from "vitest"
import { streamMessage } from "../../test/action-row.ts"
import { actionEvent, LIMITS } from "../../test/arrival.ts"
import { Judge } from "./action-row.ts"
import { Batcher, type BatchLimits } from "./batch.ts"
import { Tombstones } from "../erase/tombstones.ts"
import { Zones } from "./zones.ts"

const NOW = 1_000_000

const batcher = (limits: Partial<BatchLimits>) =>
  new Batcher(
    new Judge(LIMITS, new Zones(), new Tombstones()),
    "ACTIONS",
    { rows: 100, bytes: 1_000_000, interval: 1000, ...limits },
    (tenant) => tenant !== "elsewhere",
  )

describe("a batch is cut", () => {
  it("by the number of messages, refused ones among them", () => {
    const some = batcher({ rows: 3 })
    expect(some.add(streamMessage(7), NOW)).toBeUndefined()
    expect(some.add(streamMessage(8, { payload: Buffer.from("no event") }), NOW)).toBeUndefined()
    const batch = some.add(streamMessage(10, { receivedAt: streamMessage(10).receivedAt + 5 }), NOW)
    expect(batch).toMatchObject({
      trigger: "rows",
      messages: 3,
      first: 7,
      last: { seq: 10, messageId: "acme:e-10", receivedAt: streamMessage(10).receivedAt + 5 },
    })
    expect(batch?.rows.map(({ seq }) => seq)).toEqual([7, 10])
    expect(batch?.letters.map(({ message, reason }) => [message.seq, reason])).toEqual([[8, "invalid_json"]])
  })

  it("and of a tenant of another stream's it keeps the message, to be sent on", () => {
    const some = batcher({ rows: 2 })
    const payload = Buffer.from(JSON.stringify(actionEvent({ id: "e-1", tenantid: "elsewhere" })))
    const subject = "actions.v1.elsewhere.cv.downloaded"
    some.add(streamMessage(1, { payload, subject, messageId: "elsewhere:e-1" }), NOW)
    const batch = some.add(streamMessage(2), NOW)
    payload.fill(0)
    expect(batch?.rows.map(({ seq }) => seq)).toEqual([2])
    expect(batch?.astray.map(({ row, message }) => [row.tenant, message.subject])).toEqual([
      ["elsewhere", subject],
    ])
    expect(JSON.parse(Buffer.from(batch?.astray[0]?.message.payload ?? []).toString())).toMatchObject({
      tenantid: "elsewhere",
    })
  })

  it("by the bytes of its payloads", () => {
    const size = streamMessage(1).payload.byteLength
    const some = batcher({ bytes: size * 2 })
    expect(some.add(streamMessage(1), NOW)).toBeUndefined()
    expect(some.add(streamMessage(2), NOW)).toMatchObject({ trigger: "bytes", messages: 2 })
    expect(some.add(streamMessage(3), NOW)).toBeUndefined()
    expect(some.add(streamMessage(4), NOW)).toMatchObject({ trigger: "bytes", first: 3 })
  })

  it("by one message that is larger than a batch", () => {
    const some = batcher({ bytes: 1000 })
    const batch = some.add(streamMessage(1, { payload: Buffer.alloc(200 * 1024) }), NOW)
    expect(batch).toMatchObject({ trigger: "bytes", messages: 1, first: 1, last: { seq: 1 } })
  })

  it("by the time since its first message", () => {
    const some = batcher({ interval: 250 })
    expect(some.tick(NOW)).toBeUndefined()
    some.add(streamMessage(1), NOW)
    some.add(streamMessage(2), NOW + 200)
    expect(some.tick(NOW + 249)).toBeUndefined()
    expect(some.tick(NOW + 250)).toMatchObject({ trigger: "time", messages: 2, last: { seq: 2 } })
    expect(some.tick(NOW + 10_000)).toBeUndefined()
    some.add(streamMessage(3), NOW + 10_000)
    expect(some.tick(NOW + 10_249)).toBeUndefined()
    expect(some.tick(NOW + 10_250)).toMatchObject({ first: 3 })
  })
})

it("a dead letter keeps the message's own bytes, not a view of a buffer that others share", () => {
  const shared = new TextEncoder().encode("....no event....")
  const some = batcher({ rows: 1 })
  const letter = some.add(streamMessage(1, { payload: shared.subarray(4, 12) }), NOW)?.letters[0]
  shared.fill(0)
  expect(Buffer.from(letter?.message.payload ?? []).toString()).toBe("no event")
  expect(letter?.message.payload.buffer.byteLength).toBe(8)
})

it("a message without an id ends a batch without one", () => {
  const batch = batcher({ rows: 1 }).add(streamMessage(4, { messageId: undefined }), NOW)
  expect(batch?.last).toEqual({ seq: 4, messageId: undefined, receivedAt: streamMessage(4).receivedAt })
  expect(batch?.letters[0]?.reason).toBe("missing_message_id")
})

describe("an event that was sent on", () => {
  const DAY = 86_400_000
  const judge = new Judge(LIMITS, new Zones(), new Tombstones())
  const { receivedAt } = streamMessage(1)
  const time = receivedAt - LIMITS.maxAge
  /** Received so many days after an event that was as old as may be then, where the header says so. */
  const sentOn = (days: number, place: string) =>
    judge.judge(
      streamMessage(1, {
        receivedAt: receivedAt + days * DAY,
        sentOn: place,
        payload: Buffer.from(JSON.stringify(actionEvent({ id: "e-1", time: new Date(time).toISOString() }))),
      }),
    )
  const then = `ACTIONS:1:7:${receivedAt}`

  it("is as old as it was when it was first received, and has the receive time of its message", () => {
    const judged = sentOn(20, `${then} ACTIONS_1:1:9:${receivedAt + 10 * DAY}`)
    expect(judged.ok && judged.row.receivedAt).toBe(receivedAt + 20 * DAY)
  })
  it.each([
    ["beyond what a stream keeps", 31, then],
    ["by another form", 1, `ACTIONS:7:${receivedAt}`],
    ["by a time to come", 1, `ACTIONS:1:7:${receivedAt + 5 * DAY}`],
  ])("is too old %s, whatever it says", (_, days, place) => {
    expect(sentOn(days, place)).toMatchObject({ ok: false, reason: "too_old" })
  })
})
