import { type Rate, TokenBucket } from "./token-bucket.ts"

/** Each is counted by itself, a bucket a key. */
export const LIMITS = ["query_rate", "ingest_events", "ingest_bytes"] as const
export type Limit = (typeof LIMITS)[number]

/** What a key may do a second. */
export type PerSecond = Readonly<Record<Limit, number>>

/** After a pause a key may take as much at once as in so many seconds. */
const BURST_SECONDS = 2
/** Keys whose buckets are kept at least; beyond it full ones are let go. */
const KEPT = 10_000

export interface Exceeded {
  readonly limit: Limit
  readonly perSecond: number
  /** Milliseconds until the next call is taken. */
  readonly delay: number
}

/** The buckets of all keys. */
export class Rates {
  readonly #perSecond: PerSecond
  readonly #buckets = new Map<string, TokenBucket>()

  constructor(perSecond: PerSecond) {
    this.#perSecond = perSecond
  }

  /** The first of the limits that the key has used up. */
  exceeded(key: string, limits: ReadonlyArray<Limit>, now: number): Exceeded | undefined {
    for (const limit of limits) {
      const delay = this.#bucket(key, limit, now).delay(now)
      if (delay > 0) return { limit, perSecond: this.#perSecond[limit], delay }
    }
    return undefined
  }

  spend(key: string, limit: Limit, cost: number, now: number): void {
    this.#bucket(key, limit, now).spend(cost, now)
  }

  #bucket(key: string, limit: Limit, now: number): TokenBucket {
    const name = `${limit} ${key}`
    const known = this.#buckets.get(name)
    if (known !== undefined) return known
    if (this.#buckets.size >= KEPT) this.#sweep(now)
    const perSecond = this.#perSecond[limit]
    const rate: Rate = { perSecond, burst: perSecond * BURST_SECONDS }
    const bucket = new TokenBucket(rate, now)
    this.#buckets.set(name, bucket)
    return bucket
  }

  #sweep(now: number): void {
    for (const [name, bucket] of this.#buckets) if (bucket.isFull(now)) this.#buckets.delete(name)
  }
}
