// Local times are written by the store from Node's zones, exactly.
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { ClickHouse } from "#clickhouse"
import { storeAs } from "../test-app.ts"
import { clockParams, localTimeOf } from "./export-clock.ts"
import { localTime } from "./local-days.ts"
import { dateTime64 } from "./statement.ts"

const written = (instants: ReadonlyArray<number>, params: object) =>
  ClickHouse.pipe(
    Effect.flatMap((store) =>
      store.query<{ readonly local: string }>(
        `SELECT ${localTimeOf("time")} AS local
         FROM (SELECT arrayJoin({times:Array(DateTime64(3, 'UTC'))}) AS time)`,
        { params: { ...params, times: instants.map(dateTime64) } },
      ),
    ),
    Effect.map((rows) => rows.map(({ local }) => local)),
    Effect.provide(storeAs("tidemark_exporter")),
    Effect.runPromise,
  )

const START = Date.UTC(2024, 11, 1)
const END = Date.UTC(2026, 11, 31)
const HOUR = 3_600_000

/** Every so often, and around each change of the clocks. */
const instantsOf = (params: ReturnType<typeof clockParams>): ReadonlyArray<number> => [
  ...Array.from({ length: 200 }, (_, n) => START + Math.floor(((END - START) / 200) * n) + n),
  ...params.clock_changes.flatMap((second) => [
    Math.max(START, second * 1000 - 1),
    second * 1000,
    second * 1000 + 1,
    second * 1000 + HOUR,
  ]),
]

describe("a local time", () => {
  it.each([
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Pacific/Kiritimati",
    "Pacific/Marquesas",
    "America/Santiago",
  ])("in %s is the same as Node's", async (zone) => {
    const params = clockParams(START, END, zone)
    const instants = instantsOf(params)
    expect(await written(instants, params)).toEqual(instants.map((instant) => localTime(instant, zone)))
  })

  it("has the right offset in every zone that Node knows, at any hour", () => {
    const end = START + 400 * 24 * HOUR
    for (const zone of Intl.supportedValuesOf("timeZone").filter((_, n) => n % 7 === 0)) {
      const { clock_changes, clock_suffixes } = clockParams(START, end, zone)
      for (let at = START; at < end; at += 7 * HOUR) {
        const place = clock_changes.findLastIndex((second) => second * 1000 <= at)
        expect(localTime(at, zone), zone).toMatch(
          new RegExp(`${(clock_suffixes[place] ?? "").replace("+", "\\+")}$`, "u"),
        )
      }
    }
  })
})
