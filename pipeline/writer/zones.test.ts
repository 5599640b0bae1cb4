import { describe, expect, it } from "vitest"
import { Zones } from "./zones.ts"

const day = (date: string) => Date.parse(`${date}T00:00:00Z`) / 86_400_000

describe("the local day", () => {
  it.each([
    ["UTC", "2026-11-02T23:59:59.999Z", "2026-11-02"],
    ["UTC", "2026-11-03T00:00:00.000Z", "2026-11-03"],
    // +05:45
    ["Asia/Kathmandu", "2026-11-02T18:14:59.999Z", "2026-11-02"],
    ["Asia/Kathmandu", "2026-11-02T18:15:00.000Z", "2026-11-03"],
    // +10:30, and +11:00 in summer: the clock goes on by half an hour at 02:00 on the first Sunday of October.
    ["Australia/Lord_Howe", "2026-10-02T13:29:59.999Z", "2026-10-02"],
    ["Australia/Lord_Howe", "2026-10-02T13:30:00.000Z", "2026-10-03"],
    ["Australia/Lord_Howe", "2026-10-03T13:30:00.000Z", "2026-10-04"],
    ["Australia/Lord_Howe", "2026-10-04T12:59:59.999Z", "2026-10-04"],
    ["Australia/Lord_Howe", "2026-10-04T13:00:00.000Z", "2026-10-05"],
    // -02:30 in summer, -03:30 after the clock goes back at 02:00 on the first Sunday of November.
    ["America/St_Johns", "2026-11-01T02:29:59.999Z", "2026-10-31"],
    ["America/St_Johns", "2026-11-01T02:30:00.000Z", "2026-11-01"],
    ["America/St_Johns", "2026-11-02T03:29:59.999Z", "2026-11-01"],
    ["America/St_Johns", "2026-11-02T03:30:00.000Z", "2026-11-02"],
    // The farthest from UTC, both ways, and a zone of three quarters of an hour on the other side of the date line.
    ["Pacific/Kiritimati", "2026-11-02T10:00:00.000Z", "2026-11-03"],
    ["Etc/GMT+12", "2026-11-02T11:59:59.999Z", "2026-11-01"],
    ["Pacific/Chatham", "2026-11-02T10:14:59.999Z", "2026-11-02"],
    ["Pacific/Chatham", "2026-11-02T10:15:00.000Z", "2026-11-03"],
    // A leap day.
    ["Asia/Kathmandu", "2024-02-29T18:14:59.999Z", "2024-02-29"],
  ])("in %s at %s is %s", (zone, instant, date) => {
    const zones = new Zones()
    expect(zones.localDay(zone, Date.parse(instant))).toBe(day(date))
    // Once more, remembered.
    expect(zones.localDay(zone, Date.parse(instant))).toBe(day(date))
  })

  it("agrees with the calendar at every quarter hour of two years", () => {
    const zones = new Zones()
    for (const zone of ["Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"]) {
      const calendar = new Intl.DateTimeFormat("sv-SE", { timeZone: zone })
      const wrong: Array<string> = []
      for (let at = Date.UTC(2025, 0); at < Date.UTC(2027, 0); at += 7 * 900_000)
        if (zones.localDay(zone, at + 899_999) !== day(calendar.format(at + 899_999)))
          wrong.push(new Date(at).toISOString())
      expect(wrong).toEqual([])
    }
  })
})

describe("a tenant's zone", () => {
  it("is UTC until the directory says another", () => {
    const zones = new Zones()
    expect(zones.of("acme")).toBe("UTC")
    zones.set("acme", "Europe/London", 1, "a")
    expect(zones.of("acme")).toBe("Europe/London")
    expect(zones.of("globex")).toBe("UTC")
  })

  it("is the newest by time, then by event id, in whatever order they come", () => {
    const told = [
      ["Europe/London", 5, "a"],
      ["Asia/Kathmandu", 6, "a"],
      ["America/St_Johns", 6, "b"],
      ["UTC", 4, "z"],
    ] as const
    for (const order of [told, told.toReversed(), [told[2], told[0], told[3], told[1]]]) {
      const zones = new Zones()
      for (const [zone, version, id] of order) zones.set("acme", zone, version, id)
      expect(zones.of("acme")).toBe("America/St_Johns")
    }
  })
})
