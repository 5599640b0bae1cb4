// The refusal reasons of an action, each one before those that follow it: a message that has all later faults, too.
import { describe, expect, it } from "vitest"
import { actionEvent, arrivalOf, arrivalOfBytes, LIMITS, RECEIVED_AT } from "../test/arrival.ts"
import { type Arrival, decodeAction, isReplay, MAX_EVENT_BYTES } from "./decode.ts"
import { REFUSAL_REASONS } from "./refusal.ts"

const reasonOf = (arrival: Arrival): string => {
  const decoded = decodeAction(arrival, LIMITS)
  return decoded.ok ? "stored" : decoded.reason
}

interface Faulty {
  readonly text?: (text: string) => string
  readonly arrival?: Partial<Arrival>
  readonly envelope?: object
  readonly data?: object
}

/** A fault by reason: what it does to the event's text, and to how it arrives. */
const FAULTS = new Map<string, Faulty>([
  ["too_large", { text: (text) => `${text}${" ".repeat(MAX_EVENT_BYTES)}` }],
  ["invalid_json", { text: (text) => text.replace("{", '{"id":"twice",') }],
  ["missing_message_id", { arrival: { messageId: undefined } }],
  ["tenant_mismatch", { envelope: { tenantid: "globex" } }],
  ["subject_mismatch", { arrival: { type: "note.logged" } }],
  ["unknown_type", { envelope: { type: "espresso.brewed" } }],
  ["invalid_event", { envelope: { specversion: "0.3" } }],
  ["missing_reference", { data: { candidate_id: undefined } }],
  ["time_in_future", { envelope: { time: "2099-01-01T00:00:00Z" } }],
  ["too_old", { envelope: { time: "1990-01-01T00:00:00Z" } }],
])

/** A message with these faults; of two times the first stays. */
const messageWith = (faults: ReadonlyArray<string>): Arrival => {
  const parts = faults.toReversed().map((fault) => FAULTS.get(fault) ?? {})
  const all = (key: "envelope" | "data" | "arrival"): Record<string, unknown> =>
    Object.fromEntries(parts.flatMap((part) => Object.entries(part[key] ?? {})))
  const arrival = arrivalOf(actionEvent(all("envelope"), all("data")), all("arrival"))
  const text = parts.reduce((so, part) => part.text?.(so) ?? so, Buffer.from(arrival.payload).toString())
  return { ...arrival, payload: Buffer.from(text) }
}

const ORDER = [...FAULTS.keys()]

describe("an action is refused for the first reason that applies", () => {
  it("in the contract's order", () => {
    expect(REFUSAL_REASONS).toEqual([...ORDER, "id_conflict", "rejected_by_store"])
  })

  it("and stored when none does", () => {
    expect(reasonOf(messageWith([]))).toBe("stored")
  })

  it.each(ORDER)("%s alone", (fault) => {
    expect(reasonOf(messageWith([fault]))).toBe(fault)
  })

  it.each(ORDER)("%s with every fault that comes after it", (fault) => {
    const later = ORDER.slice(ORDER.indexOf(fault))
    expect(reasonOf(messageWith(later))).toBe(fault)
  })

  const pairs = ORDER.flatMap((first, index) =>
    ORDER.slice(index + 1).map((second) => [first, second] as const),
  )
  // An event has one time.
  const possible = pairs.filter(([first, second]) => !(first === "time_in_future" && second === "too_old"))
  it.each(possible)("%s before %s", (first, second) => {
    expect(reasonOf(messageWith([first, second]))).toBe(first)
  })
})

describe("the size", () => {
  const withSize = (bytes: number): Arrival => {
    const text = JSON.stringify(actionEvent({}, { properties: { fill: "" } }))
    return arrivalOfBytes(text.replace('"fill":"', `"fill":"${"x".repeat(bytes - text.length)}`))
  }
  it("may be 32 KiB and not a byte more", () => {
    expect(withSize(MAX_EVENT_BYTES).payload.byteLength).toBe(32_768)
    expect(reasonOf(withSize(MAX_EVENT_BYTES))).toBe("stored")
    expect(reasonOf(withSize(MAX_EVENT_BYTES + 1))).toBe("too_large")
  })
  it("is counted in bytes, not in characters", () => {
    expect(reasonOf(arrivalOf(actionEvent({}, { properties: { fill: "ü".repeat(16_300) } })))).toBe(
      "too_large",
    )
  })
})

describe("the message id", () => {
  const id = "0199a3f2-7c1e-7d3a-9b52-2f1f6f0f9a11"
  const withId = (messageId: string | undefined, overrides: Partial<Arrival> = {}) =>
    reasonOf(arrivalOf(actionEvent(), { messageId, ...overrides }))

  it.each([`acme:${id}`, `acme:${id}:replay:1`, `acme:${id}:replay:4711`])("%s fits", (messageId) => {
    expect(withId(messageId)).toBe("stored")
  })
  it.each([
    undefined,
    "",
    id,
    "acme:",
    `:${id}`,
    `globex:${id}`,
    "acme:another",
    `acme:${id} `,
    `acme:${id}:replay:`,
    `acme:${id}:replay:x`,
    `acme:${id}:replay:1:replay:2`,
    `ACME:${id}`,
    `acme:${id}\n`,
  ])("%s does not", (messageId) => {
    expect(withId(messageId)).toBe("missing_message_id")
  })
  it("of an event whose own id ends like a replay's is its own", () => {
    const event = actionEvent({ id: "x:replay:1" })
    expect(reasonOf(arrivalOf(event, { messageId: "acme:x:replay:1" }))).toBe("stored")
    expect(reasonOf(arrivalOf(event, { messageId: "acme:x:replay:1:replay:2" }))).toBe("stored")
    expect(reasonOf(arrivalOf(event, { messageId: "acme:x" }))).toBe("missing_message_id")
  })
  it("has to have the form even where the event has no id to compare", () => {
    const event = actionEvent({ id: undefined })
    expect(reasonOf(arrivalOf(event, { messageId: "acme:whatever" }))).toBe("invalid_event")
    expect(reasonOf(arrivalOf(event, { messageId: "whatever" }))).toBe("missing_message_id")
    expect(reasonOf(arrivalOf(event, { messageId: `acme:${"x".repeat(101)}` }))).toBe("missing_message_id")
    expect(reasonOf(arrivalOfBytes("[]", { messageId: "acme:x" }))).toBe("invalid_event")
  })
  it("tells a replay", () => {
    expect(isReplay(`acme:${id}:replay:1`)).toBe(true)
    expect(isReplay(`acme:${id}`)).toBe(false)
    expect(isReplay(`acme:${id}:replay:`)).toBe(false)
  })
})

describe("the route", () => {
  const offPattern = { tenant: undefined, type: undefined }
  it("of a subject that does not fit the pattern is refused, once the message id has the form", () => {
    expect(reasonOf(arrivalOf(actionEvent(), offPattern))).toBe("subject_mismatch")
    expect(reasonOf(arrivalOf(actionEvent(), { ...offPattern, messageId: "No_Tenant:x" }))).toBe(
      "missing_message_id",
    )
    expect(reasonOf(arrivalOf(actionEvent(), { type: undefined }))).toBe("subject_mismatch")
  })
  it("over HTTP is the event's own: no subject, no message id, the credential's tenant", () => {
    const http = { checkRoute: false, messageId: undefined, type: undefined }
    expect(reasonOf(arrivalOf(actionEvent(), http))).toBe("stored")
    expect(reasonOf(arrivalOf(actionEvent({ tenantid: "globex" }), http))).toBe("tenant_mismatch")
    expect(reasonOf(arrivalOf(actionEvent({ tenantid: "globex" }), { ...http, tenant: undefined }))).toBe(
      "stored",
    )
    expect(reasonOf(arrivalOf(actionEvent({ tenantid: 5 }), http))).toBe("invalid_event")
  })
})

describe("the time", () => {
  const at = (milliseconds: number) =>
    reasonOf(arrivalOf(actionEvent({ time: new Date(milliseconds).toISOString() })))
  it("may be ahead of the receive time by the tolerance and no more", () => {
    expect(at(RECEIVED_AT + LIMITS.maxClockAhead)).toBe("stored")
    expect(at(RECEIVED_AT + LIMITS.maxClockAhead + 1)).toBe("time_in_future")
  })
  it("may be as old as the store keeps actions and no older", () => {
    expect(at(RECEIVED_AT - LIMITS.maxAge)).toBe("stored")
    expect(at(RECEIVED_AT - LIMITS.maxAge - 1)).toBe("too_old")
  })
  it("comes back in milliseconds", () => {
    const decoded = decodeAction(arrivalOf(actionEvent({ time: "2026-11-02T10:30:00.1259+01:00" })), LIMITS)
    expect(decoded).toMatchObject({ ok: true, time: Date.parse("2026-11-02T09:30:00.125Z") })
  })
  it.each(["0000-01-01T00:00:00Z", "0099-06-01T00:00:00Z", "1969-12-31T23:59:59Z"])(
    "%s is too old",
    (time) => {
      expect(reasonOf(arrivalOf(actionEvent({ time })))).toBe("too_old")
    },
  )
  it("9999-12-31T23:59:59Z is in the future", () => {
    expect(reasonOf(arrivalOf(actionEvent({ time: "9999-12-31T23:59:59Z" })))).toBe("time_in_future")
  })
})
