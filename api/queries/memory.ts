import { createHash } from "node:crypto"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { Deferred, Effect, Fiber } from "effect"
import { type Read, type StoreVersion, versionOf } from "./store-version.ts"

interface Entry {
  readonly version: string
  readonly answer: Deferred.Deferred<ReadonlyArray<unknown>, ClickHouseError>
  fiber: Fiber.Fiber<unknown> | undefined
  waiting: number
  /** Undefined while the store is being asked. */
  rows: number | undefined
}

const MAX_ENTRIES = 500
/** A row is about a kilobyte. */
const MAX_ROWS = 30_000
/** Larger answers are not worth their memory. */
const MAX_ROWS_EACH = 2000

/**
 * Answers of the store, each remembered while nothing of what it was read from has changed, and one question that
 * several ask at once asked once. A remembered answer is what the store would answer now: the version was read before
 * the rows were, so rows that came between make the next version another one.
 */
export class Memory {
  readonly #entries = new Map<string, Entry>()
  #rows = 0

  ask<Row>(
    version: string,
    statement: string,
    params: Readonly<Record<string, unknown>>,
  ): Effect.Effect<ReadonlyArray<Row>, ClickHouseError, ClickHouse> {
    const key = createHash("sha256")
      .update(JSON.stringify([statement, params]))
      .digest("base64")
    return Effect.acquireUseRelease(
      Effect.suspend(() => this.#enter(key, version, statement, params)),
      ({ answer }) => Deferred.await(answer),
      (entry) => this.#leave(key, entry),
    ) as Effect.Effect<ReadonlyArray<Row>, ClickHouseError, ClickHouse>
  }

  #enter(key: string, version: string, statement: string, params: Readonly<Record<string, unknown>>) {
    const known = this.#entries.get(key)
    const entry = known?.version === version ? known : this.#begin(key, version)
    // The last one asked for is the last to be forgotten.
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    entry.waiting++
    if (entry === known) return Effect.succeed(entry)
    return Effect.as(this.#read(key, entry, statement, params), entry)
  }

  #begin(key: string, version: string): Entry {
    this.#forget(key)
    return { version, answer: Deferred.makeUnsafe(), fiber: undefined, waiting: 0, rows: undefined }
  }

  #forget(key: string, entry = this.#entries.get(key)): void {
    if (entry === undefined || this.#entries.get(key) !== entry) return
    this.#entries.delete(key)
    this.#rows -= entry.rows ?? 0
  }

  /** Asks the store for all who wait. It goes on when the first of them goes away, and ends with the last. */
  #read(key: string, entry: Entry, statement: string, params: Readonly<Record<string, unknown>>) {
    const reading = Effect.gen(function* () {
      const store = yield* ClickHouse
      return yield* store.query<unknown>(statement, { params })
    }).pipe(
      Effect.onExit((exit) =>
        Effect.sync(() => {
          entry.rows = exit._tag === "Success" ? exit.value.length : 0
          this.#rows += entry.rows
          if (exit._tag === "Failure" || entry.rows > MAX_ROWS_EACH) this.#forget(key, entry)
          this.#trim()
        }),
      ),
      Effect.exit,
      Effect.flatMap((exit) => Deferred.done(entry.answer, exit)),
    )
    return Effect.forkDetach(reading).pipe(
      Effect.map((fiber) => {
        entry.fiber = fiber
      }),
    )
  }

  #trim(): void {
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= MAX_ENTRIES && this.#rows <= MAX_ROWS) return
      if (entry.rows !== undefined) this.#forget(key, entry)
    }
  }

  #leave(key: string, entry: Entry): Effect.Effect<void> {
    return Effect.suspend(() => {
      entry.waiting--
      if (entry.waiting > 0 || entry.rows !== undefined || entry.fiber === undefined) return Effect.void
      this.#forget(key, entry)
      return Effect.forkDetach(Fiber.interrupt(entry.fiber))
    })
  }
}

const memories = new WeakMap<ClickHouse["Service"], Memory>()

/** Rows of a statement about a moment that will not come again, which would only drive out what is asked for twice. */
export const askOnce = Effect.fn("askOnce")(function* <Row>(
  _: StoreVersion,
  statement: string,
  params: Readonly<Record<string, unknown>>,
): Effect.fn.Return<ReadonlyArray<Row>, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  return yield* store.query<Row>(statement, { params })
})

/** Rows of a statement, remembered while the parts of the tables that it reads stay the same. */
export const ask = Effect.fn("ask")(function* <Row>(
  version: StoreVersion,
  statement: string,
  params: Readonly<Record<string, unknown>>,
  reads: ReadonlyArray<Read>,
): Effect.fn.Return<ReadonlyArray<Row>, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  const memory = memories.get(store) ?? new Memory()
  memories.set(store, memory)
  return yield* memory.ask<Row>(versionOf(version, reads), statement, params)
})
