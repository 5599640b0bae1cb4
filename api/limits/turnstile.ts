/** A place in the queue: `enter` is called when its turn comes. */
interface Waiting {
  readonly enter: () => void
}

interface Line {
  inside: number
  readonly waiting: Set<Waiting>
}

/** Lets so many in at once of each name; the others wait in order of arrival. */
export class Turnstile {
  readonly #atOnce: number
  readonly #lines = new Map<string, Line>()

  constructor(atOnce: number) {
    this.#atOnce = atOnce
  }

  /**
   * Calls `enter` at once or when there is room. The function that it returns gives the place up, inside or still
   * waiting, and may be called again without effect.
   */
  join(name: string, enter: () => void): () => void {
    const line = this.#lines.get(name) ?? { inside: 0, waiting: new Set() }
    this.#lines.set(name, line)
    let state: "waiting" | "inside" | "gone" = "waiting"
    const place: Waiting = {
      enter: () => {
        state = "inside"
        line.inside++
        enter()
      },
    }
    if (line.inside < this.#atOnce) place.enter()
    else line.waiting.add(place)
    return () => {
      if (state === "gone") return
      if (state === "inside") line.inside--
      line.waiting.delete(place)
      state = "gone"
      this.#next(name, line)
    }
  }

  /** Over all names. */
  count(): { readonly inside: number; readonly waiting: number } {
    let inside = 0
    let waiting = 0
    for (const line of this.#lines.values()) {
      inside += line.inside
      waiting += line.waiting.size
    }
    return { inside, waiting }
  }

  #next(name: string, line: Line): void {
    for (const place of line.waiting) {
      if (line.inside >= this.#atOnce) return
      line.waiting.delete(place)
      place.enter()
    }
    if (line.inside === 0) this.#lines.delete(name)
  }
}
