import { connect, createServer, type Server, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { Effect } from "effect"

/**
 * What a link does with the connections that run over it:
 * - `pass`: hands on what comes.
 * - `cut`: resets them, and every new one.
 * - `hold`: hands on nothing, in either direction; what piled up arrives when it passes again, as after an outage that
 *   TCP survives.
 * - `mute`: hands on requests and swallows the answers; they are reset when it passes again.
 * - `half_open`: the far end is gone and the near end is never told, not even when it passes again. New connections
 *   are taken and lead nowhere, for ever.
 * - `slow`: hands on each piece late, and few bytes a second.
 */
export const LINK_FAULTS = ["cut", "hold", "mute", "half_open", "slow"] as const
export type LinkFault = (typeof LINK_FAULTS)[number]
export type LinkMode = LinkFault | "pass"

const LATENCY = 60
const BYTES_A_SECOND = 200_000
const LOOK = 5

interface Pair {
  readonly near: Socket
  readonly far: Socket
  /** Its far end is gone for good. */
  dead: boolean
  /** What the near end sent and nobody handed on yet. */
  kept: Array<Buffer> | undefined
}

/** A link of TCP to a port of 127.0.0.1 that can be disturbed while it is used. */
export interface Link {
  readonly port: number
  readonly mode: () => LinkMode
  readonly set: (mode: LinkMode) => void
  /**
   * Keeps the next request with some words in its first piece, and whatever follows on its connection, until the function that it
   * gives is called: it arrives then, though who sent it may be gone.
   */
  readonly keepNext: (words: string) => () => void
}

class Relay {
  mode: LinkMode = "pass"
  #wanted: string | undefined
  readonly #target: number
  readonly #pairs = new Set<Pair>()
  /** Connections that lead nowhere. */
  readonly #nowhere = new Set<Socket>()

  constructor(target: number) {
    this.#target = target
  }

  readonly accept = (near: Socket): void => {
    near.on("error", () => undefined)
    if (this.mode === "cut") return void near.resetAndDestroy()
    if (this.mode === "half_open") return this.#strand(near)
    const far = connect({ port: this.#target, host: "127.0.0.1", noDelay: true })
    near.setNoDelay(true)
    far.on("error", () => undefined)
    const pair: Pair = { near, far, dead: false, kept: undefined }
    this.#pairs.add(pair)
    const end = () => {
      if (pair.kept !== undefined) return
      this.#pairs.delete(pair)
      far.destroy()
      // Whoever was cut off by its own end is told so, as far as the link tells anything.
      if (!pair.dead) near.destroy()
    }
    near.once("close", end)
    far.once("close", end)
    void this.#pump(pair, near, far, true)
    void this.#pump(pair, far, near, false)
  }

  set(mode: LinkMode): void {
    const before = this.mode
    this.mode = mode
    for (const pair of this.#pairs) {
      if (mode === "cut" || (before === "mute" && mode === "pass")) {
        pair.near.resetAndDestroy()
        pair.far.resetAndDestroy()
      }
      if (mode === "half_open") {
        pair.dead = true
        this.#strand(pair.near)
        pair.far.destroy()
      }
    }
  }

  keepNext(words: string): () => void {
    this.#wanted = words
    return () => {
      this.#wanted = undefined
      for (const pair of this.#pairs) {
        if (pair.kept === undefined) continue
        pair.far.write(Buffer.concat(pair.kept))
        pair.kept = undefined
        // Its answer is nobody's any more.
        if (pair.near.destroyed) pair.far.end()
      }
    }
  }

  close(): void {
    for (const { near, far } of this.#pairs) {
      near.destroy()
      far.destroy()
    }
    for (const near of this.#nowhere) near.destroy()
  }

  #strand(near: Socket): void {
    this.#nowhere.add(near)
    near.once("close", () => this.#nowhere.delete(near))
    near.resume()
  }

  /** Hands on one direction piece by piece, as the mode of each moment says. */
  async #pump(pair: Pair, from: Socket, to: Socket, isRequest: boolean): Promise<void> {
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        while (this.mode === "hold" && !to.destroyed) await sleep(LOOK)
        if (pair.dead || (this.mode === "mute" && !isRequest)) continue
        if (isRequest && this.#wanted !== undefined && chunk.includes(this.#wanted)) {
          this.#wanted = undefined
          pair.kept = []
        }
        if (isRequest && pair.kept !== undefined) {
          pair.kept.push(chunk)
          continue
        }
        if (this.mode === "slow") await sleep(LATENCY + (chunk.byteLength / BYTES_A_SECOND) * 1000)
        if (pair.dead || to.destroyed) continue
        if (!to.write(chunk))
          await new Promise<void>((resolve) => {
            to.once("drain", resolve)
            to.once("close", resolve)
          })
      }
      if (!pair.dead && pair.kept === undefined) to.end()
    } catch {
      // One end is gone; its `close` ends the other.
    }
  }
}

/** Opens a link to a port, until the scope ends. */
export const openLink = (target: number) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly server: Server; readonly relay: Relay; readonly port: number }>((resume) => {
      const relay = new Relay(target)
      const server = createServer({ allowHalfOpen: true }, relay.accept)
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(Effect.succeed({ server, relay, port }))
      })
    }),
    ({ server, relay }) =>
      Effect.promise(
        () =>
          new Promise<void>((resolve) => {
            server.close(() => resolve())
            relay.close()
          }),
      ),
  ).pipe(
    Effect.map(({ relay, port }): Link => ({
      port,
      mode: () => relay.mode,
      set: (mode) => relay.set(mode),
      keepNext: (words) => relay.keepNext(words),
    })),
  )
