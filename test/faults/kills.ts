import { Effect } from "effect"
import { STREAMS } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"
import { Publisher } from "#nats/publisher.ts"
import { Load } from "./load.ts"
import { Random } from "../../deploy/demo/random.ts"
import { makeWorld, WINDOW } from "./world.ts"
import { kill } from "./writers.ts"

export interface KillsOptions {
  readonly rounds: number
  readonly seed: number
  /** Events a second while the kills go on. */
  readonly rate: number
  /** Everything is counted after so many rounds, and at the end. */
  readonly countEvery: number
  readonly say: (line: string) => void
}

export interface KillsResult {
  readonly kills: Readonly<Record<"writer" | "store" | "both", number>>
  readonly events: number
  readonly deadLetters: { readonly wanted: number; readonly found: number }
  readonly differences: ReadonlyArray<string>
}

/** Milliseconds of load between two kills: long enough for a writer to start and be in the middle of things. */
const BETWEEN = [200, 2500] as const

/**
 * Kills the writer, the store or both with SIGKILL at random moments under load, starts them again, and counts what
 * raw and each rollup hold against what was published.
 */
export const kills = Effect.fn("kills")(function* (options: KillsOptions) {
  const world = yield* makeWorld
  const random = new Random(options.seed)
  const done = { writer: 0, store: 0, both: 0 }
  const differences: Array<string> = []
  const { connection, manager } = yield* Nats.pipe(Effect.provide(world.services))
  const publisher = Publisher.open(connection)
  const load = new Load(publisher, random, WINDOW)
  yield* Effect.promise(() => load.introduce())
  let writer = yield* world.startWriter()

  const count = Effect.fnUntraced(function* (round: number) {
    yield* world.quiet
    const found = yield* load.expected.differences().pipe(Effect.provide(world.services))
    differences.push(...found.map((text) => `after round ${round}: ${text}`))
    options.say(
      `round ${round}: ${load.expected.rows} events, kills ${JSON.stringify(done)}, ${found.length} differences`,
    )
  })

  for (let round = 1; round <= options.rounds; round++) {
    let isOver = false
    const loading = load.run(options.rate, () => isOver)
    yield* Effect.sleep(BETWEEN[0] + random.int(BETWEEN[1] - BETWEEN[0]))
    const what = random.pick(["writer", "store", "both"] as const)
    done[what]++
    if (what !== "store") yield* kill(writer)
    if (what !== "writer") yield* world.store.kill()
    if (what !== "writer") yield* world.store.start
    if (what !== "store") writer = yield* world.startWriter()
    isOver = true
    yield* Effect.promise(() => loading)
    if (round % options.countEvery === 0) yield* count(round)
  }
  yield* Effect.promise(() => load.finish())
  yield* count(options.rounds)

  const { state } = yield* Effect.promise(() => manager.streams.info(STREAMS.deadLetters))
  yield* Effect.promise(() => publisher.close())
  yield* kill(writer, "SIGTERM")
  return {
    kills: done,
    events: load.expected.rows,
    deadLetters: { wanted: load.bad, found: state.messages },
    differences,
  } satisfies KillsResult
}, Effect.scoped)
