import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { LedgerRecord } from "#schemas/ledger.ts"
import { BUCKETS } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"
import { broker } from "../../test/services.ts"
import { openLedger } from "./ledger.ts"

const recordOf = (stream: string, owner: string): LedgerRecord => ({
  generation: 1,
  stream,
  created: "2026-11-02T09:30:00Z",
  committed: 10,
  committed_id: "acme:e-10",
  committed_at: 1_700_000_000_000,
  horizon: 1000,
  look_up_all_until: 0,
  duplicate_window: 5000,
  max_clock_ahead: 1000,
  owner,
  epoch: 1,
  lease_until: 1_700_000_001_000,
})

/** What the bucket holds, whatever a ledger remembers. */
const held = (stream: string) =>
  Effect.flatMap(Nats, ({ kv }) =>
    Effect.promise(async () => (await (await kv.open(BUCKETS.ledger)).get(stream))?.json<LedgerRecord>()),
  )

layer(broker)("the ledger", (it) => {
  it.effect("is created by one of two", () =>
    Effect.gen(function* () {
      const stream = "LEDGER_CREATE"
      const ledgers = [yield* openLedger(stream, "a"), yield* openLedger(stream, "b")] as const
      const created = yield* Effect.all(
        [ledgers[0].create(recordOf(stream, "a")), ledgers[1].create(recordOf(stream, "b"))],
        { concurrency: "unbounded" },
      )
      expect(created.toSorted()).toEqual([false, true])
      const winner = created[0] ? "a" : "b"
      expect((yield* held(stream))?.owner).toBe(winner)
      expect(ledgers[created[0] ? 1 : 0].current()).toBeUndefined()
    }),
  )

  it.effect("keeps all of many changes at once", () =>
    Effect.gen(function* () {
      const stream = "LEDGER_CHANGES"
      const ledger = yield* openLedger(stream, "a")
      yield* ledger.create(recordOf(stream, "a"))
      const changes = Array.from({ length: 40 }, () =>
        ledger.change((record) => ({ ...record, committed: record.committed + 1 })),
      )
      yield* Effect.all(changes, { concurrency: "unbounded" })
      expect((yield* held(stream))?.committed).toBe(50)
      expect(ledger.current()?.committed).toBe(50)
    }),
  )

  it.effect("takes no change of an owner that was replaced, however often it tries", () =>
    Effect.gen(function* () {
      const stream = "LEDGER_REPLACED"
      const [former, present] = [yield* openLedger(stream, "a"), yield* openLedger(stream, "b")]
      yield* former.create(recordOf(stream, "a"))
      const found = yield* present.read
      if (found === undefined) throw new Error("there is a record")
      const taken = { ...recordOf(stream, "b"), epoch: found.epoch + 1 }
      expect(yield* present.take(taken, found)).toBe(true)
      for (let tries = 0; tries < 3; tries++) {
        const lost = yield* Effect.flip(
          former.change((record) => ({ ...record, lease_until: 0, horizon: 0 })),
        )
        expect(lost).toMatchObject({ _tag: "LeaseLost", owner: "b" })
        // Nothing may be inserted under the lease of another.
        expect(former.current()).toBeUndefined()
      }
      expect(yield* held(stream)).toEqual(taken)
      expect((yield* present.change((record) => ({ ...record, horizon: 2000 }))).horizon).toBe(2000)
    }),
  )

  it.effect("takes no change of an owner's former tenure", () =>
    Effect.gen(function* () {
      const stream = "LEDGER_FORMER"
      const ledger = yield* openLedger(stream, "a")
      yield* ledger.create(recordOf(stream, "a"))
      const { kv } = yield* Nats
      const bucket = yield* Effect.promise(() => kv.open(BUCKETS.ledger))
      const later = { ...recordOf(stream, "a"), epoch: 3 }
      yield* Effect.promise(() => bucket.put(stream, JSON.stringify(later)))
      expect(yield* Effect.flip(ledger.change((record) => record))).toMatchObject({ _tag: "LeaseLost" })
      expect(yield* held(stream)).toEqual(later)
    }),
  )

  it.effect("is taken by one of two", () =>
    Effect.gen(function* () {
      const stream = "LEDGER_TAKE"
      yield* (yield* openLedger(stream, "c")).create(recordOf(stream, "c"))
      const ledgers = [yield* openLedger(stream, "a"), yield* openLedger(stream, "b")] as const
      const taken = yield* Effect.all(
        ledgers.map((ledger, n) =>
          Effect.flatMap(ledger.read, (found) =>
            found === undefined
              ? Effect.die("there is a record")
              : ledger.take({ ...recordOf(stream, "ab"[n] ?? ""), epoch: 2 }, found),
          ),
        ),
        { concurrency: "unbounded" },
      )
      expect(taken.toSorted()).toEqual([false, true])
    }),
  )

  it.effect("is not taken as it stood before the owner wrote, though a barrier was renewed meanwhile", () =>
    Effect.gen(function* () {
      const stream = "LEDGER_WOKEN"
      const owner = yield* openLedger(stream, "a")
      yield* owner.create(recordOf(stream, "a"))
      const taker = yield* openLedger(stream, "b")
      const found = yield* taker.read
      if (found === undefined) throw new Error("there is a record")
      yield* owner.change((record) => ({ ...record, horizon: 9000 }))
      yield* taker.reserve({ holder: "b", why: "a test", until: 2 }, 1)
      expect(yield* taker.take({ ...found, owner: "b", epoch: found.epoch + 1 }, found)).toBe(false)
      expect(yield* held(stream)).toMatchObject({ owner: "a", horizon: 9000, barrier: { holder: "b" } })
    }),
  )

  it.effect("is nobody's once it is lost", () =>
    Effect.gen(function* () {
      const stream = "LEDGER_LOST"
      const ledger = yield* openLedger(stream, "a")
      expect(yield* ledger.read).toBeUndefined()
      yield* ledger.create(recordOf(stream, "a"))
      const { kv } = yield* Nats
      yield* Effect.promise(async () => (await kv.open(BUCKETS.ledger)).purge(stream))
      expect(yield* Effect.flip(ledger.change((record) => record))).toMatchObject({ owner: "nobody" })
      expect(yield* ledger.read).toBeUndefined()
      expect(yield* ledger.create(recordOf(stream, "a"))).toBe(true)
    }),
  )
})
