// Every rule of the action event's fields, at its boundaries.
import { describe, expect, it } from "vitest"
import { actionEvent, arrivalOf, arrivalOfBytes, LIMITS } from "../test/arrival.ts"
import { ACTOR_TYPES, CHANNELS } from "./action-event.ts"
import { CATALOGUE } from "./catalogue.ts"
import { decodeAction } from "./decode.ts"

type Fields = Readonly<Record<string, unknown>>

const decode = (event: Fields, overrides = {}) => {
  const decoded = decodeAction(
    arrivalOf(event, { messageId: "acme:x", checkRoute: false, ...overrides }),
    LIMITS,
  )
  return decoded.ok ? "stored" : `${decoded.reason} ${decoded.detail}`
}
const envelope = (fields: Fields) => decode(actionEvent(fields))
const data = (fields: Fields) => decode(actionEvent({}, fields))
const invalid = (at: string) =>
  expect.stringMatching(new RegExp(`^invalid_event ${at}(\\.\\w+)?: `, "u")) as unknown

const x = (length: number) => "x".repeat(length)
const emoji = (length: number) => "😀".repeat(length)
const NOT_TEXT = [5, true, null, {}, ["x"]]
const properties = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, n]))

const ENVELOPE: Record<
  string,
  { readonly good: ReadonlyArray<unknown>; readonly bad: ReadonlyArray<unknown> }
> = {
  specversion: { good: ["1.0"], bad: [undefined, "1", "1.1", "", 1, null] },
  id: {
    good: ["x", x(100), "A.b_c:d-9", "::", "-"],
    bad: [undefined, "", x(101), "a b", "a/b", "ü", "a\n", "a\u0000", ...NOT_TEXT],
  },
  source: {
    good: [
      "/",
      "x",
      x(200),
      "/ats/web",
      "https://u@h:1/p?q=1&r[]=2#f",
      "urn:x:y",
      "a%20b",
      "#f",
      "?q",
      "//h",
    ],
    bad: [
      undefined,
      "",
      x(201),
      "a b",
      "<x>",
      'a"b',
      "a\\b",
      "a^b",
      "a`b",
      "{a}",
      "a|b",
      "a%2",
      "a%zz",
      "ü",
      "#a#b",
      "\n",
      ...NOT_TEXT,
    ],
  },
  type: { good: ["cv.downloaded"], bad: [undefined, ...NOT_TEXT] },
  time: {
    good: ["2026-11-02T09:30:00Z", "2026-11-02T09:30:00.123456789Z", "2026-11-02T04:00:00-05:30"],
    bad: [
      undefined,
      "",
      "yesterday",
      "2026-10-10 10:10:10",
      "2026-02-30T00:00:00Z",
      "2026-06-30T23:59:60Z",
      "2026-11-02t09:30:00z",
      1_762_075_800_000,
      null,
    ],
  },
  tenantid: { good: ["acme"], bad: [undefined, ...NOT_TEXT] },
  data: { good: [], bad: [undefined, null, "x", 5, []] },
}

const idField = {
  good: [undefined, "x", x(200), emoji(200), "a b", "ü/🚀", "a@b", "0"],
  bad: ["", x(201), emoji(201), ...NOT_TEXT],
}
const personField = (required: boolean) => ({
  good: [...(required ? [] : [undefined]), "x", x(200), emoji(200), "u@local", "@", "a b@c.d"],
  bad: [...(required ? [undefined] : []), "", x(201), "jane@example.com", "a@b.c", ...NOT_TEXT],
})

const DATA: typeof ENVELOPE = {
  actor_id: personField(true),
  actor_type: { good: ACTOR_TYPES, bad: [undefined, "", "admin", "Member", "member ", ...NOT_TEXT] },
  impersonator_id: personField(false),
  automated: { good: [undefined, true, false], bad: ["true", 1, 0, null] },
  quantity: {
    good: [undefined, 1, 2, 100_000, 1.0],
    bad: [0, -1, 100_001, 1.5, "1", null, 1e300, [1], true],
  },
  client_id: idField,
  // cv.downloaded requires it: its absence is another reason.
  candidate_id: { ...idField, good: idField.good.slice(1) },
  contact_id: idField,
  job_id: idField,
  page: {
    good: [undefined, "x", x(300), emoji(300), "jobs/candidates#top", "/", "a b"],
    bad: ["", x(301), emoji(301), "jobs?id=5", "?", "a\n?b", ...NOT_TEXT],
  },
  channel: { good: [undefined, ...CHANNELS], bad: ["", "fax", "Web", "email-sync", ...NOT_TEXT] },
  session_id: { good: [undefined, "", "x", x(200), emoji(200)], bad: [x(201), emoji(201), ...NOT_TEXT] },
  correlation_id: { good: [undefined, "", "x", x(200)], bad: [x(201), ...NOT_TEXT] },
  properties: {
    good: [undefined, {}, properties(50), { deep: { er: [1, { x: null }] } }, { "": 1 }],
    bad: [properties(51), [], "x", 5, true, null],
  },
}

const cases = (fields: typeof ENVELOPE, kind: "good" | "bad") =>
  Object.entries(fields).flatMap(([field, values]) =>
    values[kind].map((value) => [field, JSON.stringify(value)?.slice(0, 50), value] as const),
  )

describe("the envelope", () => {
  it.each(cases(ENVELOPE, "good"))("%s may be %s", (field, _, value) => {
    expect(envelope({ [field]: value })).toBe("stored")
  })
  it.each(cases(ENVELOPE, "bad"))("%s may not be %s", (field, _, value) => {
    expect(envelope({ [field]: value })).toEqual(invalid(field))
  })
  it("may carry extensions", () => {
    expect(
      envelope({ traceparent: "00-x", datacontenttype: "application/json", subject: null, x: [1] }),
    ).toBe("stored")
  })
  it.each(["[]", "null", "5", '"x"', "{}", "[{}]"])("is not %s", (text) => {
    expect(decodeAction(arrivalOfBytes(text), LIMITS)).toMatchObject({ ok: false, reason: "invalid_event" })
  })
})

describe("data", () => {
  it.each(cases(DATA, "good"))("%s may be %s", (field, _, value) => {
    expect(data({ [field]: value })).toBe("stored")
  })
  it.each(cases(DATA, "bad"))("%s may not be %s", (field, _, value) => {
    expect(data({ [field]: value })).toEqual(invalid(`data\\.${field}`))
  })
  it.each(["candidat_id", "", "constructor", "toString", "x".repeat(500)])("has no field %s", (field) => {
    expect(data({ [field]: 1 })).toBe(
      `invalid_event data has an unknown field ${JSON.stringify(field.slice(0, 60))}`,
    )
  })
  it("has no field __proto__, which could stand for all others", () => {
    const text = JSON.stringify(actionEvent()).replace('"data":{', '"data":{"__proto__":{"job_id":"j"},')
    expect(decodeAction(arrivalOfBytes(text), LIMITS)).toMatchObject({
      reason: "invalid_event",
      detail: 'data has an unknown field "__proto__"',
    })
  })
  it("keeps a property that is called __proto__ as one", () => {
    const text = JSON.stringify(actionEvent({}, { properties: {} })).replace(
      '"properties":{}',
      '"properties":{"__proto__":{"a":1}}',
    )
    const decoded = decodeAction(arrivalOfBytes(text), LIMITS)
    expect(decoded.ok && JSON.stringify(decoded.event.data.properties)).toBe('{"__proto__":{"a":1}}')
  })
})

describe("the references that the catalogue asks for", () => {
  const all = { client_id: "c", candidate_id: "k", contact_id: "p", job_id: "j", page: "x" }
  const needs = CATALOGUE.actions.flatMap(({ type, requires }) =>
    requires.map((field) => [type, field] as const),
  )
  it.each(needs)("%s needs %s", (type, field) => {
    expect(decode(actionEvent({ type }, all))).toBe("stored")
    expect(decode(actionEvent({ type }, { ...all, [field]: undefined }))).toBe(
      `missing_reference ${type} needs data.${field}`,
    )
  })
})

it("never quotes a value, which may be private", () => {
  const secret = "Jane Doe, got jane.doe@example.com"
  const texts = [
    ...Object.keys(ENVELOPE).map((field) => envelope({ [field]: field === "type" ? [secret] : { secret } })),
    ...Object.keys(ENVELOPE).map((field) => envelope({ [field]: secret })),
    ...Object.keys(DATA).map((field) => data({ [field]: secret })),
    ...Object.keys(DATA).map((field) => data({ [field]: [{ secret }] })),
    data({ page: `${secret}?` }),
    data({ properties: { ...properties(50), secret } }),
  ]
  expect(texts.filter((text) => /jane/iu.test(text))).toEqual([])
  expect(texts.filter((text) => text !== "stored").length).toBeGreaterThan(25)
})
