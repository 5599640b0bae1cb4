import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Random } from "../../deploy/demo/random.ts"
import { Load } from "./load.ts"
import { Traffic } from "./traffic.ts"
import { until } from "./until.ts"
import { WINDOW, World } from "./world.ts"
import { kill, metricOf, type WriterProcess } from "./writers.ts"

const RATE = 1000
/** Milliseconds from being told to stop until the process has ended. */
const LIMIT = 10_000

/** Tells a writer to stop; its exit code, and milliseconds until then. */
const stop = Effect.fnUntraced(function* (writer: WriterProcess, state: string) {
  const toldAt = Date.now()
  yield* kill(writer, "SIGTERM")
  const took = Date.now() - toldAt
  yield* Effect.logInfo(`stopped with ${state}: ${took} ms`)
  return { code: writer.process.exitCode, inTime: took < LIMIT }
})
const WELL = { code: 0, inTime: true }

layer(Traffic.layer, { excludeTestServices: true, timeout: "120 seconds" })("a writer told to stop", (it) => {
  it.effect(
    "under full load, with both engines well, then each of them hanging, ends in time; nothing is lost or doubled",
    () =>
      Effect.gen(function* () {
        const { publisher } = yield* Traffic
        const { startWriter, quiet, store, broker, ledger } = yield* World
        const load = new Load(publisher, new Random(11), WINDOW)
        yield* Effect.promise(() => load.introduce())
        let isOver = false
        yield* Effect.addFinalizer(() => Effect.sync(() => (isOver = true)))
        const loading = load.run(RATE, () => isOver)
        const inTheMiddle = (writer: WriterProcess) =>
          until(
            "in the middle",
            Effect.map(metricOf(writer, "tidemark_events_stored_total"), (n = 0) => n >= RATE),
          )

        const first = yield* startWriter()
        yield* inTheMiddle(first)
        expect(yield* stop(first, "both engines well")).toEqual(WELL)
        const record = yield* ledger
        expect(record).toMatchObject({ horizon: record?.committed, lease_until: 0 })

        const second = yield* startWriter()
        yield* inTheMiddle(second)
        yield* store.signal("SIGSTOP")
        expect(yield* stop(second, "a store that hangs")).toEqual(WELL)
        yield* store.signal("SIGCONT")

        const third = yield* startWriter()
        yield* inTheMiddle(third)
        yield* broker.signal("SIGSTOP")
        expect(yield* stop(third, "a broker that hangs")).toEqual(WELL)
        yield* broker.signal("SIGCONT")

        isOver = true
        yield* Effect.promise(() => loading)
        yield* Effect.promise(() => load.finish())
        yield* startWriter()
        yield* quiet
        expect(yield* load.expected.differences()).toEqual([])
      }),
    { timeout: 240_000 },
  )
})
