import { describe, expect, it } from "vitest"
import { arrivalOf, directoryEvent, LIMITS, RECEIVED_AT } from "../test/arrival.ts"
import { type Arrival, decodeDirectory } from "./decode.ts"
import { DIRECTORY_TYPES } from "./directory-event.ts"

type Fields = Readonly<Record<string, unknown>>

const outcome = (arrival: Arrival): string => {
  const decoded = decodeDirectory(arrival, LIMITS)
  return decoded.ok ? "stored" : `${decoded.reason} ${decoded.detail}`
}
const decode = (type: string, data: Fields, envelope: Fields = {}) =>
  outcome(arrivalOf(directoryEvent(type, data, envelope)))

const text = (length: number) => "x".repeat(length)

/** By type a valid `data`, and for each field what it may be beside, and what it may not be. */
const RULES: Record<
  string,
  {
    readonly data: Fields
    readonly good: Fields
    readonly bad: Readonly<Record<string, ReadonlyArray<unknown>>>
  }
> = {
  "tenant.upserted": {
    data: { name: "Acme", time_zone: "Europe/Amsterdam" },
    good: { name: text(500), time_zone: "Asia/Kolkata", contract_months: 1200 },
    bad: {
      name: [undefined, "", text(501), 5],
      time_zone: [
        undefined,
        "",
        "Mars/Olympus",
        "+02:00",
        "utc",
        "Europe/amsterdam",
        "asia/kolkata",
        "PST",
        "Pst",
        "IST",
        "SystemV/PST8PDT",
        5,
      ],
      contract_months: [0, 1201, 1.5, "12", null],
    },
  },
  "team.upserted": {
    data: { team_id: "t", name: "Sales" },
    good: { team_id: text(200), name: "ü" },
    bad: { team_id: [undefined, "", text(201)], name: [undefined, ""] },
  },
  "user.upserted": {
    data: { user_id: "u", kind: "member", name: "Jane", email: "jane@example.com", team_ids: [] },
    good: { kind: "client", team_ids: ["a", "b"], client_id: "c", role: "", email: "" },
    bad: {
      user_id: [undefined, "", text(201), "jane@example.com"],
      kind: [undefined, "admin"],
      name: [undefined, ""],
      email: [undefined, text(321), null],
      team_ids: [undefined, null, "t", [""], [5], Array.from({ length: 1001 }, () => "t")],
      client_id: ["", text(201), null],
      role: [text(201), 5],
    },
  },
  "user.erased": { data: { user_id: "u" }, good: {}, bad: { user_id: [undefined, "", "a@b.c"] } },
  "license.assigned": { data: { user_id: "u" }, good: {}, bad: { user_id: [undefined, 5] } },
  "license.disabled": { data: { user_id: "u" }, good: {}, bad: { user_id: [undefined] } },
  "license.enabled": { data: { user_id: "u" }, good: {}, bad: { user_id: [undefined] } },
  "license.deleted": { data: { user_id: "u" }, good: {}, bad: { user_id: [undefined] } },
  "client.upserted": {
    data: { client_id: "c", name: "Client" },
    good: {},
    bad: { client_id: [undefined, ""], name: [undefined, "", text(501)] },
  },
  "candidate.upserted": {
    data: { candidate_id: "k", name: "John", email: "john@example.com" },
    good: { email: "" },
    bad: { candidate_id: [undefined, ""], name: [undefined], email: [undefined, 5] },
  },
  "candidate.erased": { data: { candidate_id: "k" }, good: {}, bad: { candidate_id: [undefined, ""] } },
  "job.upserted": {
    data: { job_id: "j", title: "Engineer", client_id: "c", status: "open" },
    good: { status: "closed" },
    bad: {
      job_id: [undefined, ""],
      title: [undefined, "", text(501)],
      client_id: [undefined, ""],
      status: [undefined, "Open", ""],
    },
  },
  "target.set": {
    data: {
      metric: "notes_logged",
      period: "week",
      scope: "user",
      user_id: "u",
      value: 20,
      holds_from: "2026-11-02",
    },
    good: {
      metric: "active_days",
      period: "month",
      user_id: text(200),
      value: 1_000_000_000,
      holds_from: "2028-02-29",
      set_by: text(200),
    },
    bad: {
      metric: [undefined, "", "active_users", "note.logged", 5],
      period: [undefined, "day", "Week", null],
      scope: [undefined, "member", null],
      user_id: [undefined, "", text(201), "jane@example.com"],
      team_id: ["t"],
      value: [undefined, -1, 1.5, 1_000_000_001, "20"],
      holds_from: [undefined, "2026-02-29", "2026-13-01", "1999-12-31", "2101-01-01", "2026-1-1", 20_261_102],
      set_by: ["", text(201), null],
    },
  },
}

it("has rules for every type", () => {
  expect(Object.keys(RULES)).toEqual(DIRECTORY_TYPES)
})

describe.each(Object.entries(RULES))("%s", (type, { data, good, bad }) => {
  it("is stored", () => {
    expect(decode(type, data)).toBe("stored")
  })
  it.each(Object.entries(good))("may have the %s %s", (field, value) => {
    expect(decode(type, { ...data, [field]: value })).toBe("stored")
  })
  const refused = Object.entries(bad).flatMap(([field, values]) =>
    values.map((value) => [field, JSON.stringify(value)?.slice(0, 40), value] as const),
  )
  it.each(refused)("may not have the %s %s", (field, _, value) => {
    expect(decode(type, { ...data, [field]: value })).toMatch(
      new RegExp(`^invalid_event data\\.${field}`, "u"),
    )
  })
  it("has no other field", () => {
    expect(decode(type, { ...data, typo: 1 })).toBe('invalid_event data has an unknown field "typo"')
  })
})

describe("a target", () => {
  const data = { metric: "notes_logged", period: "week", value: 0, holds_from: "2026-11-02" }
  it.each([
    { scope: "user", user_id: "u" },
    { scope: "team", team_id: "t" },
    { scope: "team_members", team_id: "t" },
    { scope: "everyone" },
    { scope: "everyone", value: null },
  ])("may be for $scope", (whom) => {
    expect(decode("target.set", { ...data, ...whom })).toBe("stored")
  })
  it.each([
    ["user_id", { scope: "user" }],
    ["user_id", { scope: "user", team_id: "t" }],
    ["team_id", { scope: "team" }],
    ["user_id", { scope: "team_members", team_id: "t", user_id: "u" }],
    ["user_id", { scope: "everyone", user_id: "u" }],
    ["team_id", { scope: "everyone", team_id: "t" }],
  ])("is refused for its %s: %j", (field, whom) => {
    expect(decode("target.set", { ...data, ...whom })).toMatch(
      new RegExp(`^invalid_event data.${field}: (?:It is required|Leave it out): a target of `, "u"),
    )
  })
})

describe("the reasons", () => {
  const licence = directoryEvent("license.assigned", { user_id: "u" })
  it.each([
    ["invalid_json", { payload: Buffer.from("{") }],
    ["missing_message_id", { messageId: undefined }],
    ["tenant_mismatch", { tenant: "globex", messageId: "globex:d1" }],
    ["subject_mismatch", { type: "license.deleted" }],
    ["too_large", { payload: Buffer.alloc(40_000) }],
  ])("%s", (reason, overrides) => {
    expect(outcome(arrivalOf(licence, overrides))).toMatch(new RegExp(`^${reason} `, "u"))
  })
  it.each(["license.renewed", "cv.downloaded", "toString.valueOf"])("unknown_type for %s", (type) => {
    expect(decode(type, {})).toMatch(/^unknown_type /u)
  })
  it("invalid_event without a type", () => {
    expect(outcome(arrivalOf({ ...licence, type: undefined }, { type: "license.assigned" }))).toBe(
      "invalid_event type: Missing key",
    )
    expect(outcome(arrivalOf(licence, { payload: Buffer.from("[]") }))).toMatch(/^invalid_event /u)
  })
})

describe("the time", () => {
  const tolerated = new Date(RECEIVED_AT + LIMITS.maxClockAhead).toISOString()
  const tooFar = new Date(RECEIVED_AT + LIMITS.maxClockAhead + 1).toISOString()
  const dated = Object.entries(RULES).map(([type, { data }]) => [type, data] as const)

  it.each(dated.filter(([type]) => !type.startsWith("license.")))("of %s is not ahead", (type, data) => {
    expect(decode(type, data, { time: tolerated })).toBe("stored")
    expect(decode(type, data, { time: tooFar })).toMatch(/^time_in_future /u)
  })
  it.each(dated.filter(([type]) => type.startsWith("license.")))("of %s may be ahead", (type, data) => {
    expect(decode(type, data, { time: tooFar })).toBe("stored")
    expect(decode(type, data, { time: "2199-12-31T23:59:59.999Z" })).toBe("stored")
  })
  it.each(dated)("of %s may be as old as 1970 and lies before 2200", (type, data) => {
    expect(decode(type, data, { time: "1970-01-01T00:00:00Z" })).toBe("stored")
    for (const time of [
      "1969-12-31T23:59:59.999Z",
      "1970-01-01T00:00:00+00:01",
      "0000-01-01T00:00:00Z",
      "2200-01-01T00:00:00Z",
      "2199-12-31T23:59:59-00:01",
      "9999-12-31T23:59:59Z",
    ])
      expect(decode(type, data, { time })).toBe("invalid_event time: Expected a time from 1970 to 2199")
  })
})
