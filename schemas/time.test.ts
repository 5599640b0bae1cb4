import { describe, expect, it } from "vitest"
import { parseTime, utcDay, utcMonth } from "./time.ts"

describe("parseTime", () => {
  it.each([
    ["1970-01-01T00:00:00Z", 0],
    ["1969-12-31T23:59:59.999Z", -1],
    ["2026-11-02T09:30:00.125Z", Date.UTC(2026, 10, 2, 9, 30, 0, 125)],
    ["2026-11-02T09:30:00.1Z", Date.UTC(2026, 10, 2, 9, 30, 0, 100)],
    ["2026-11-02T09:30:00.12Z", Date.UTC(2026, 10, 2, 9, 30, 0, 120)],
    // Finer than a millisecond is cut off, not rounded.
    ["2026-11-02T09:30:00.123999999Z", Date.UTC(2026, 10, 2, 9, 30, 0, 123)],
    ["2026-11-02T09:30:00.999999999Z", Date.UTC(2026, 10, 2, 9, 30, 0, 999)],
    ["2026-11-02T09:30:00.000000000000000000001Z", Date.UTC(2026, 10, 2, 9, 30)],
    ["2026-11-02T09:30:00+00:00", Date.UTC(2026, 10, 2, 9, 30)],
    ["2026-11-02T09:30:00-00:00", Date.UTC(2026, 10, 2, 9, 30)],
    ["2026-11-02T15:15:00+05:45", Date.UTC(2026, 10, 2, 9, 30)],
    ["2026-11-01T23:00:00.5-10:30", Date.UTC(2026, 10, 2, 9, 30, 0, 500)],
    ["2026-01-01T00:00:00+23:59", Date.UTC(2025, 11, 31, 0, 1)],
    ["2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
    ["2000-02-29T00:00:00Z", Date.UTC(2000, 1, 29)],
    ["0000-01-01T00:00:00Z", Date.parse("0000-01-01T00:00:00Z")],
    ["0000-02-29T12:00:00Z", Date.parse("0000-02-29T12:00:00Z")],
    ["0099-12-31T23:59:59.999Z", Date.parse("0099-12-31T23:59:59.999Z")],
    ["9999-12-31T23:59:59.999Z", Date.parse("9999-12-31T23:59:59.999Z")],
  ])("%s", (text, expected) => {
    expect(parseTime(text)).toBe(expected)
  })

  it.each([
    ["no such day", "2026-02-30T00:00:00Z"],
    ["no leap year", "2026-02-29T00:00:00Z"],
    ["no leap century", "1900-02-29T00:00:00Z"],
    ["31 April", "2026-04-31T00:00:00Z"],
    ["day 0", "2026-01-00T00:00:00Z"],
    ["month 0", "2026-00-01T00:00:00Z"],
    ["month 13", "2026-13-01T00:00:00Z"],
    ["hour 24", "2026-01-01T24:00:00Z"],
    ["minute 60", "2026-01-01T00:60:00Z"],
    ["leap second", "2016-12-31T23:59:60Z"],
    ["lower-case t", "2026-01-01t00:00:00Z"],
    ["lower-case z", "2026-01-01T00:00:00z"],
    ["a space for T", "2026-10-10 10:10:10Z"],
    ["no zone", "2026-10-10T10:10:10"],
    ["no seconds", "2026-10-10T10:10Z"],
    ["a bare point", "2026-10-10T10:10:10.Z"],
    ["a comma", "2026-10-10T10:10:10,5Z"],
    ["offset of 24 hours", "2026-10-10T10:10:10+24:00"],
    ["offset of 60 minutes", "2026-10-10T10:10:10+01:60"],
    ["offset without colon", "2026-10-10T10:10:10+0100"],
    ["offset and Z", "2026-10-10T10:10:10+01:00Z"],
    ["five digits of year", "12026-10-10T10:10:10Z"],
    ["a sign", "-2026-10-10T10:10:10Z"],
    ["a line after it", "2026-10-10T10:10:10Z\n"],
    ["other digits", "٢٠٢٦-10-10T10:10:10Z"],
    ["a date", "2026-10-10"],
    ["nothing", ""],
  ])("refuses %s", (_, text) => {
    expect(parseTime(text)).toBeNaN()
  })

  it("agrees with Date over every day of eight centuries", () => {
    const wrong: Array<string> = []
    for (let day = Date.UTC(1599, 11, 31); day < Date.UTC(2400, 0, 2); day += 86_400_000) {
      const text = new Date(day + 45_296_789).toISOString()
      if (parseTime(text) !== day + 45_296_789) wrong.push(text)
    }
    expect(wrong).toEqual([])
  })
})

it("counts UTC days and months on both sides of 1970", () => {
  expect(utcDay(-1)).toBe(-1)
  expect(utcDay(0)).toBe(0)
  expect(utcDay(86_400_000)).toBe(1)
  expect(utcMonth(Date.UTC(2026, 11, 31, 23, 59, 59, 999))).toBe(202_612)
  expect(utcMonth(Date.UTC(2027, 0, 1))).toBe(202_701)
})
