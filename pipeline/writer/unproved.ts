import { Effect } from "effect"
import type { ClickHouse, ClickHouseError } from "#clickhouse"
import type { LedgerRecord, Unproved } from "#schemas/ledger.ts"
import type { NatsError } from "#nats/connection.ts"
import { Writer } from "./context.ts"
import { LeaseLost } from "./ledger.ts"
import { repairRollups } from "./repair-rollups.ts"
import { ownScope, type Scope } from "./scope.ts"
import { dropShadow } from "./shadow.ts"

type Failure = ClickHouseError | NatsError | LeaseLost

const DAY = 86_400_000

const scopeOf = ({ tenants, from, to }: Unproved): Scope => {
  const days: Array<string> = []
  for (let at = Date.parse(`${from}T00:00:00Z`); at <= Date.parse(`${to}T00:00:00Z`); at += DAY)
    days.push(new Date(at).toISOString().slice(0, 10))
  return { tenants, days }
}

const proved = (record: LedgerRecord): LedgerRecord => {
  const { unproved, ...rest } = record
  return unproved === undefined ? record : rest
}

/** Makes the rollups right that somebody was about to change rows of, and returns how many keys were wrong. */
export const settleUnproved = Effect.fn("settleUnproved")(function* (): Effect.fn.Return<
  number,
  Failure,
  Writer | ClickHouse
> {
  const { ledger, options, metrics } = yield* Writer
  const record = ledger.current()
  if (record === undefined) return yield* new LeaseLost({ stream: options.stream, owner: "nobody" })
  if (record.unproved === undefined) return 0
  const { shadow } = record.unproved
  if (shadow !== undefined) yield* dropShadow(shadow)
  const scope = yield* ownScope(scopeOf(record.unproved))
  const keys = yield* repairRollups(scope, () => ledger.current() ?? record)
  metrics.rollupKeysRepaired += keys
  yield* ledger.change(proved)
  return keys
})

/**
 * Changes rows up to `committed`: the ledger says so before, so that whoever owns the partition next makes the rollups
 * of these tenants and days right when this is broken off, and afterwards they are. Gives the number of keys that were
 * corrected, beside what the change came to.
 */
export const changing = Effect.fn("changing")(function* <A, E, R>(
  scope: Unproved,
  change: Effect.Effect<A, E, R>,
): Effect.fn.Return<{ readonly changed: A; readonly keys: number }, E | Failure, R | Writer | ClickHouse> {
  const { ledger } = yield* Writer
  yield* ledger.change((record) => ({ ...record, unproved: scope }))
  const changed = yield* change
  return { changed, keys: yield* settleUnproved() }
})
