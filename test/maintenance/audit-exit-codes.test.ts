// What a script learns of `tidemark audit` by its exit code alone.
import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { TABLES } from "#schemas/names.ts"
import { Traffic } from "../faults/traffic.ts"
import { World } from "../faults/world.ts"
import { tidemark } from "./command-line.ts"
import { command } from "./maintainer.ts"

const audit = (...args: ReadonlyArray<string>) => tidemark(["audit", ...args])
const without = (setting: "NATS_URL" | "CLICKHOUSE_URL") =>
  tidemark(["audit"], undefined, { [setting]: `${setting === "NATS_URL" ? "nats" : "http"}://127.0.0.1:1` })

layer(Traffic.layer, { excludeTestServices: true, timeout: "60 seconds" })("tidemark audit", (it) => {
  it.effect(
    "ends with 0 when all is equal, 1 when there are differences, 2 when it could not be made",
    () =>
      Effect.gen(function* () {
        const { publish } = yield* Traffic
        const { startWriter, quiet } = yield* World
        const never = yield* audit()
        expect([never.code, never.err]).toEqual([2, expect.stringContaining("no writer ever owned ACTIONS")])
        yield* startWriter()
        yield* publish("a", 20)
        yield* quiet
        const equal = yield* audit("--all")
        expect([equal.code, equal.out]).toEqual([0, expect.stringContaining("\n0 differences.")])

        yield* command(`ALTER TABLE ${TABLES.clientActivity15m} DELETE WHERE tenant = 'a'`)
        const different = yield* audit("--all")
        expect([different.code, different.out]).toEqual([1, expect.stringContaining("rollup_key")])

        const bad = [
          yield* audit("--al"),
          yield* audit("--from", "yesterday"),
          yield* audit("--stream", "ACTIONS_7"),
          yield* without("NATS_URL"),
          yield* without("CLICKHOUSE_URL"),
        ]
        expect(bad.map(({ code, err }) => `${code} ${err}`)).toEqual([
          expect.stringMatching(/^2 [\s\S]*--al/u),
          expect.stringMatching(/^2 .*--from is yesterday/u),
          expect.stringMatching(/^2 .*--stream is ACTIONS_7/u),
          expect.stringMatching(/^2 .*NATS_URL/u),
          expect.stringMatching(/^2 .*CLICKHOUSE_URL/u),
        ])
      }),
    { timeout: 120_000 },
  )
})
