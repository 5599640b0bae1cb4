import { Context, Effect, Layer, Schedule, Schema } from "effect"
import { ClickHouse } from "#clickhouse"
import { STREAMS, TABLES } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"
import { Publisher } from "#nats/publisher.ts"
import { asMaintainer, quietlyOf } from "../../deploy/maintenance.ts"
import { audit } from "../../pipeline/audit/audit.ts"
import { Random } from "../../deploy/demo/random.ts"
import { type ClusterWorld, makeClusterWorld } from "./cluster-world.ts"
import { deadLetters } from "./dead-letters.ts"
import { diagnose } from "./diagnose.ts"
import type { Expected } from "./expected.ts"
import { makeInflictor } from "./inflict.ts"
import { keptFolder } from "./kept-folder.ts"
import { Load } from "./load.ts"
import type { NewerNats } from "./newer-nats.ts"
import { describeFault, kindOf, planRound } from "./plan.ts"
import { until } from "./until.ts"
import { WINDOW } from "./world.ts"

export interface SuiteOptions {
  readonly rounds: number
  readonly seed: number
  /** Events a second while faults go on. */
  readonly rate: number
  /** Everything is counted after so many rounds, and at the end. */
  readonly countEvery: number
  readonly writers: number
  /** Streams that the actions are in. */
  readonly partitions: number
  /** Milliseconds that a fault lasts at most. */
  readonly longest: number
  /** Kinds of faults, all when it is empty. */
  readonly only: ReadonlyArray<string>
  readonly nats: NewerNats
  readonly say: (line: string) => void
}

export interface SuiteResult {
  readonly faults: Readonly<Record<string, number>>
  /** Servers of the cluster that did not come to themselves and were started again. */
  readonly restarts: number
  readonly events: number
  readonly deadLetters: { readonly wanted: number; readonly found: number }
}

/** The promise was not kept, or nothing moved any more. */
class Broken extends Schema.TaggedError<Broken>()("Broken", {
  seed: Schema.Int,
  round: Schema.Int,
  differences: Schema.Array(Schema.String),
}) {
  override get message(): string {
    const shown = this.differences.slice(0, 30).join("\n  ")
    return `seed ${this.seed}, round ${this.round}: ${this.differences.length} differences\n  ${shown}`
  }
}

/** Rounds after which the load goes on with other tenants, so that a count need not look at all that ever was. */
const ERA = 25
/** No producer waits longer for its acknowledgements once all faults are over. */
const UNACKNOWLEDGED = "2 minutes"

/** Dead letters, told apart by the events that they hold: a broker that forgot an id took the event twice. */
const compareLetters = Effect.fnUntraced(function* (load: Load) {
  const { manager } = yield* Nats
  yield* until(
    "a leader of the dead letters",
    Effect.tryPromise(() => manager.streams.info(STREAMS.deadLetters)).pipe(
      Effect.as(true),
      Effect.orElseSucceed(() => false),
    ),
  )
  const found = new Set(
    (yield* deadLetters).map(({ payload }) => JSON.parse(payload.toString()).id as string),
  )
  const missing = [...load.refused].filter((id) => !found.has(id))
  const surplus = [...found].filter((id) => !load.refused.has(id))
  return {
    found: found.size,
    differences: [
      ...missing.map((id) => `${id} should be a dead letter`),
      ...surplus.map((id) => `${id} should be no dead letter`),
    ],
  }
})

/** The project's own proof of what is new since it was asked last. */
const audited = Effect.fnUntraced(function* ({ settings, streams }: ClusterWorld) {
  const { differences, blocks, months } = yield* audit(
    { streams, all: false },
    { maxClockAhead: settings.maxClockAhead, quietly: quietlyOf(settings) },
  ).pipe(
    asMaintainer(settings, "audit"),
    // It connects anew, perhaps while leaders are elected.
    Effect.retry(Schedule.spaced("500 millis").pipe(Schedule.upTo({ times: 60 }))),
    Effect.orDie,
  )
  const shown = [...blocks, ...months].flatMap(({ shown }) => shown)
  return differences === 0
    ? []
    : [`audit: ${differences} differences`, ...shown.map(({ kind, detail }) => `audit: ${kind}: ${detail}`)]
})

/** Nothing here takes messages out of a stream or makes one anew, so a writer that says so is wrong. */
const notes = Effect.gen(function* () {
  const store = yield* ClickHouse
  const rows = yield* store.query<{ kind: string; detail: string }>(
    `SELECT kind AS kind, detail AS detail FROM ${TABLES.dataQuality}`,
  )
  return rows.map(({ kind, detail }) => `a note of ${kind}: ${detail}`)
})

const secondsSince = (instant: number): string => ((Date.now() - instant) / 1000).toFixed(1)

/**
 * Kills, stops and cuts off writers, brokers and store in random combinations under load, lets them come up again, and
 * counts what raw and each rollup hold against what was published. Fails at the first difference.
 */
const runIn = Effect.fnUntraced(function* (world: ClusterWorld, options: SuiteOptions) {
  const { rounds, seed, say } = options
  const plans = new Random(seed)
  const faults: Record<string, number> = {}
  const { connection } = yield* Effect.map(
    Layer.build(Nats.layer({ url: world.producerUrl, name: "producer" })),
    Context.get(Nats),
  )
  const publisher = Publisher.open(connection, { ackTimeout: 1000, giveUpAfter: 10_000 })
  const load = new Load(publisher, new Random(seed + 1), WINDOW)
  yield* Effect.promise(() => load.introduce(Math.ceil(rounds / ERA)))
  const { inflict, ended, stop } = yield* makeInflictor(world)
  const broken = (round: number, differences: ReadonlyArray<string>) =>
    new Broken({ seed, round, differences })

  const count = Effect.fnUntraced(function* (round: number, expected: ReadonlyArray<Expected>) {
    const began = Date.now()
    const stuck = yield* world.quiet
    if (stuck !== undefined) return yield* broken(round, [stuck, ...(yield* ended)])
    const quiet = secondsSince(began)
    const differences = [
      ...(yield* ended),
      ...(yield* notes),
      ...(yield* Effect.forEach(expected, (one) => one.differences(true))).flat(),
      ...(yield* audited(world)),
    ]
    if (differences.length > 0) return yield* broken(round, [...differences, ...(yield* diagnose(world))])
    say(`round ${round}: ${load.total} events, quiet after ${quiet} s, 0 differences, audit 0`)
  })

  let isOver = false
  yield* Effect.addFinalizer(() => Effect.sync(() => (isOver = true)))
  for (let round = 1; round <= rounds;) {
    isOver = false
    const loading = load.run(options.rate, () => isOver)
    // The load goes on from one count to the next, so that a round may meet what the one before left behind.
    do {
      const { lead, faults: planned } = planRound(plans, {
        ...options,
        servers: world.brokers.servers.length,
      })
      say(`round ${round}: ${planned.map(describeFault).join("; ")}`)
      for (const fault of planned) faults[kindOf(fault)] = (faults[kindOf(fault)] ?? 0) + 1
      yield* Effect.sleep(lead)
      yield* Effect.forEach(planned, inflict, { concurrency: "unbounded" })
    } while (round++ % options.countEvery !== 0 && round <= rounds)
    const hung = yield* world.brokers.comeBack
    if (hung > 0) say(`round ${round - 1}: ${hung} brokers did not come to themselves and were started again`)
    isOver = true
    yield* Effect.promise(() => loading).pipe(
      Effect.timeoutOrElse({
        duration: UNACKNOWLEDGED,
        orElse: () => broken(round - 1, ["what was published is not acknowledged"]),
      }),
    )
    if (round > rounds) break
    yield* count(round - 1, [load.expected])
    load.enter(Math.floor((round - 1) / ERA))
  }
  yield* Effect.promise(() => load.finish())
  yield* count(rounds, [...load.past, load.expected])
  const letters = yield* compareLetters(load)
  if (letters.differences.length > 0) return yield* broken(rounds, letters.differences)
  yield* Effect.promise(() => publisher.close())
  yield* stop
  return {
    faults,
    restarts: world.brokers.restarts(),
    events: load.total,
    deadLetters: { wanted: load.bad, found: letters.found },
  } satisfies SuiteResult
})

/** The fault suite. What it leaves behind is kept when it fails. */
export const runSuite = Effect.fn("runSuite")(function* (options: SuiteOptions) {
  const { nats } = options
  const dataDir = yield* keptFolder
  const world = yield* makeClusterWorld({
    dataDir,
    writers: options.writers,
    partitions: options.partitions,
    ...("missing" in nats ? { servers: 1, program: "nats-server" } : { servers: 3, program: nats.program }),
  })
  return yield* runIn(world, options).pipe(Effect.provide(world.services))
}, Effect.scoped)
