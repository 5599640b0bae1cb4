import { expect, it } from "vitest"
import { ACTION_BY_METRIC, ACTION_BY_TYPE, CATALOGUE, MEMBER_ACTIVATING, METRICS } from "./catalogue.ts"
import { EVENT_TYPE } from "./patterns.ts"

/** What the summary has beside the actions' metrics. */
const OTHER_METRICS = new Set([
  "total_licenses",
  "active_users",
  "active_licenses",
  "activity_ratio",
  "active_without_license",
  "last_tracked_activity_at",
  "last_activity_ever_at",
  "active_days",
  "license_status",
])

it("names each action and each metric once", () => {
  expect(CATALOGUE.actions.length).toBeGreaterThan(0)
  expect(ACTION_BY_TYPE.size).toBe(CATALOGUE.actions.length)
  expect(ACTION_BY_METRIC.size).toBe(CATALOGUE.actions.length)
  expect(new Set(CATALOGUE.actions.map(({ label }) => label)).size).toBe(CATALOGUE.actions.length)
  expect(METRICS.filter((metric) => OTHER_METRICS.has(metric))).toEqual([])
})

it("has types that a subject can carry and metrics that a column and a parameter can", () => {
  expect(CATALOGUE.actions.filter(({ type }) => !EVENT_TYPE.test(type))).toEqual([])
  expect(METRICS.filter((metric) => !/^[a-z][a-z0-9_]*$/u.test(metric))).toEqual([])
})

it("knows what makes a member active", () => {
  expect(MEMBER_ACTIVATING).toContain("note.logged")
  expect(MEMBER_ACTIVATING).not.toContain("user.logged_in")
  expect(MEMBER_ACTIVATING.every((type) => ACTION_BY_TYPE.get(type)?.activates_member)).toBe(true)
})
