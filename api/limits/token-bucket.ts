/** How much a bucket takes a second, and how much at once after a pause. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/**
 * A token bucket that may go into debt: whoever finds it not empty is let in and pays what the call turned out to cost,
 * so a call that is larger than the bucket passes, and the next one waits until the debt is paid. Times in milliseconds,
 * by a clock of the caller's.
 */
export class TokenBucket {
  readonly #rate: Rate
  #tokens: number
  #at: number

  constructor(rate: Rate, now: number) {
    this.#rate = rate
    this.#tokens = rate.burst
    this.#at = now
  }

  /** Milliseconds until somebody is let in; 0: now. */
  delay(now: number): number {
    const tokens = this.#refill(now)
    return tokens > 0 ? 0 : Math.max(1, Math.ceil((-tokens / this.#rate.perSecond) * 1000))
  }

  spend(cost: number, now: number): void {
    this.#tokens = this.#refill(now) - cost
  }

  /** As good as one that was never used. */
  isFull(now: number): boolean {
    return this.#refill(now) >= this.#rate.burst
  }

  #refill(now: number): number {
    // A clock that was put back gives nothing and takes nothing.
    const passed = Math.max(0, now - this.#at)
    this.#at = now
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + (passed / 1000) * this.#rate.perSecond)
    return this.#tokens
  }
}
