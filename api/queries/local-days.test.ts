import { describe, expect, it } from "vitest"
import { daysOf, localTime, startOfDay, startsOfDays } from "./local-days.ts"

const startIn = (zone: string, date: string): string => new Date(startOfDay(date, zone)).toISOString()

describe("the first instant of a local day", () => {
  it.each([
    ["UTC", "2026-10-25", "2026-10-25T00:00:00.000Z"],
    ["Europe/London", "2026-10-25", "2026-10-24T23:00:00.000Z"],
    ["Europe/London", "2026-10-26", "2026-10-26T00:00:00.000Z"],
    ["Asia/Kathmandu", "2026-10-25", "2026-10-24T18:15:00.000Z"],
    ["America/St_Johns", "2026-11-02", "2026-11-02T03:30:00.000Z"],
    ["Pacific/Kiritimati", "2026-10-31", "2026-10-30T10:00:00.000Z"],
    ["Etc/GMT+12", "2026-10-31", "2026-10-31T12:00:00.000Z"],
  ])("%s %s", (zone, date, expected) => {
    expect(startIn(zone, date)).toBe(expected)
  })

  it("is one o'clock where clocks go forward at midnight", () => {
    expect(startIn("America/Santiago", "2026-09-06")).toBe("2026-09-06T04:00:00.000Z")
    expect(localTime(startOfDay("2026-09-06", "America/Santiago"), "America/Santiago")).toBe(
      "2026-09-06T01:00:00.000-03:00",
    )
  })

  it("moves by the half hour of Lord Howe", () => {
    expect(startIn("Australia/Lord_Howe", "2026-10-04")).toBe("2026-10-03T13:30:00.000Z")
    expect(startIn("Australia/Lord_Howe", "2026-10-05")).toBe("2026-10-04T13:00:00.000Z")
  })

  it("is the next day's where a zone skipped the day", () => {
    expect(startIn("Pacific/Apia", "2011-12-30")).toBe(startIn("Pacific/Apia", "2011-12-31"))
  })

  it("is where the calendar turns, in every zone and around every change of the clocks", () => {
    const days = [...daysOf("2026-03-27", "2026-04-06"), ...daysOf("2026-10-23", "2026-11-03")]
    const wrong = Intl.supportedValuesOf("timeZone").flatMap((zone) => {
      const calendar = new Intl.DateTimeFormat("en-CA", { timeZone: zone, dateStyle: "short" })
      return days.flatMap((day) => {
        const start = startOfDay(day, zone)
        return calendar.format(start) === day && calendar.format(start - 1) < day ? [] : [`${zone} ${day}`]
      })
    })
    expect(wrong).toEqual([])
  })

  it("is the same one by one and in a row", () => {
    for (const zone of ["Europe/London", "Africa/Cairo", "America/Santiago", "Australia/Lord_Howe"]) {
      const days = daysOf("2025-01-01", "2026-12-31")
      expect(startsOfDays(days, zone)).toEqual(days.map((day) => startOfDay(day, zone)))
    }
  })
})

it("shows an instant with the zone's offset at that instant", () => {
  const instant = Date.parse("2026-10-25T00:59:59.125Z")
  expect(localTime(instant, "Europe/London")).toBe("2026-10-25T01:59:59.125+01:00")
  expect(localTime(instant + 1000, "Europe/London")).toBe("2026-10-25T01:00:00.125+00:00")
  expect(localTime(instant, "America/St_Johns")).toBe("2026-10-24T22:29:59.125-02:30")
  expect(localTime(instant, "Asia/Kathmandu")).toBe("2026-10-25T06:44:59.125+05:45")
})
