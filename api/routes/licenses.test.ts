import { beforeAll, describe, expect, it } from "vitest"
import { newTenant, testApp } from "../test-app.ts"
import { type License, putLicenses, putTenant, putUsers } from "../test-rows.ts"

const { call, keyFor } = testApp()

// The range's instants in Kathmandu: its start, and the first instant after it.
const START = "2026-10-09T18:15:00.000Z"
const END = "2026-10-12T18:15:00.000Z"
const RANGE = "from=2026-10-10&to=2026-10-12"

const at = (instant: string, milliseconds = 0): string =>
  new Date(Date.parse(instant) + milliseconds).toISOString()
const EARLIER = "2026-01-01T00:00:00.000Z"
const WITHIN = "2026-10-11T12:00:00.000Z"

type Event = readonly [verb: License["verb"], time: string, event_id?: string]
interface Case {
  readonly events: ReadonlyArray<Event>
  readonly end: boolean
  readonly any: boolean
  readonly whole: boolean
  readonly status: string
}

const never = { end: false, any: false, whole: false }
const always = { end: true, any: true, whole: true }

const CASES: Readonly<Record<string, Case>> = {
  "never licensed": { events: [], ...never, status: "none" },
  "assigned before": { events: [["assigned", EARLIER]], ...always, status: "live" },
  "assigned at the first instant": { events: [["assigned", START]], ...always, status: "live" },
  "assigned a millisecond later": {
    events: [["assigned", at(START, 1)]],
    end: true,
    any: true,
    whole: false,
    status: "live",
  },
  "assigned at the last instant": {
    events: [["assigned", at(END, -1)]],
    end: true,
    any: true,
    whole: false,
    status: "live",
  },
  "assigned after it": { events: [["assigned", END]], ...never, status: "none" },
  "deleted before": {
    events: [
      ["assigned", EARLIER],
      ["deleted", at(START, -1)],
    ],
    ...never,
    status: "deleted",
  },
  "deleted at the first instant": {
    events: [
      ["assigned", EARLIER],
      ["deleted", START],
    ],
    ...never,
    status: "deleted",
  },
  "deleted a millisecond later": {
    events: [
      ["assigned", EARLIER],
      ["deleted", at(START, 1)],
    ],
    end: false,
    any: true,
    whole: false,
    status: "deleted",
  },
  "disabled at the last instant": {
    events: [
      ["assigned", EARLIER],
      ["disabled", at(END, -1)],
    ],
    end: false,
    any: true,
    whole: false,
    status: "disabled",
  },
  "disabled after it": {
    events: [
      ["assigned", EARLIER],
      ["disabled", END],
    ],
    ...always,
    status: "live",
  },
  "live for a while within": {
    events: [
      ["assigned", WITHIN],
      ["disabled", at(WITHIN, 1)],
    ],
    end: false,
    any: true,
    whole: false,
    status: "disabled",
  },
  "enabled again within": {
    events: [
      ["assigned", EARLIER],
      ["disabled", WITHIN],
      ["enabled", at(WITHIN, 1)],
    ],
    end: true,
    any: true,
    whole: false,
    status: "live",
  },
  "assigned twice": {
    events: [
      ["assigned", EARLIER],
      ["enabled", WITHIN],
    ],
    ...always,
    status: "live",
  },
  "off and on at one time": {
    events: [
      ["assigned", EARLIER],
      ["disabled", WITHIN, "a"],
      ["enabled", WITHIN, "b"],
    ],
    ...always,
    status: "live",
  },
  "on and off at one time": {
    events: [
      ["enabled", WITHIN, "a"],
      ["disabled", WITHIN, "b"],
    ],
    ...never,
    status: "disabled",
  },
  "deleted in the future": {
    events: [
      ["assigned", EARLIER],
      ["deleted", "2099-01-01T00:00:00.000Z"],
    ],
    ...always,
    status: "live",
  },
}

describe("a licence", () => {
  const tenant = newTenant()
  const names = Object.keys(CASES)
  let key: string

  beforeAll(async () => {
    key = await keyFor(tenant)
    await putTenant(tenant, "Asia/Kathmandu")
    await putUsers(tenant, Object.fromEntries(names.map((name) => [name, {}])))
    // The order of arrival must not matter: the last come first.
    const licenses = Object.entries(CASES).flatMap(([user_id, { events }]) =>
      events.map(([verb, time, event_id = "e"]) => ({ user_id, verb, time, event_id })),
    )
    await putLicenses(tenant, licenses.toReversed())
    await putLicenses(tenant, licenses)
  })

  const countOf = async (name: string, basis: string, range = RANGE): Promise<number> => {
    const query = `${range}&license_basis=${basis}&user_id=${encodeURIComponent(name)}`
    const { body } = await call(`/v1/reports/user-insights/summary?${query}`, key)
    return body.data.total_licenses.value
  }

  it.each(names)("%s counts by each basis as it should", async (name) => {
    const { end, any, whole } = CASES[name] ?? { ...never }
    expect({
      end: await countOf(name, "end"),
      any: await countOf(name, "any"),
      whole: await countOf(name, "whole"),
    }).toEqual({ end: Number(end), any: Number(any), whole: Number(whole) })
  })

  it("makes a row when it was live at some instant, and shows its state at the end", async () => {
    const { body } = await call(`/v1/reports/user-insights/users?${RANGE}&limit=500`, key)
    const shown = body.data.map((row: { user_id: string; license_status: string }) => [
      row.user_id,
      row.license_status,
    ])
    const expected = Object.entries(CASES).flatMap(([name, { any, status }]) => (any ? [[name, status]] : []))
    expect(Object.fromEntries(shown)).toEqual(Object.fromEntries(expected))
  })

  it.each(["end", "any", "whole"])("of a range that has not ended is looked at now, by %s", async (basis) => {
    const soon = newTenant()
    const soonKey = await keyFor(soon)
    const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString()
    await putUsers(soon, { u_1: {}, u_2: {} })
    await putLicenses(soon, [
      { user_id: "u_1", verb: "assigned", time: EARLIER },
      { user_id: "u_1", verb: "deleted", time: inDays(0.02) },
      { user_id: "u_2", verb: "assigned", time: inDays(0.02) },
    ])
    // One that began today, and one that has not begun.
    for (const [from, to] of [
      [0, 30],
      [3, 4],
    ] as const) {
      const query = `from=${inDays(from).slice(0, 10)}&to=${inDays(to).slice(0, 10)}&license_basis=${basis}`
      const { body } = await call(`/v1/reports/user-insights/summary?${query}`, soonKey)
      expect(body.data.total_licenses.value).toBe(1)
    }
  })
})
