import { createServer } from "node:net"
import { Effect } from "effect"

const FROM = 12_000
const TO = 32_000
/** By this process; it may not listen on them yet. */
const given = new Set<number>()

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once("error", () => resolve(false))
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)))
  })

/**
 * A port of 127.0.0.1 on which nobody listens. It is none of those from which systems take the near ends of connections:
 * while the server that is meant for it is not up yet, or is down, no connection is given it.
 */
export const freePort = Effect.promise(async () => {
  for (;;) {
    const port = FROM + Math.floor(Math.random() * (TO - FROM))
    if (given.has(port)) continue
    given.add(port)
    if (await isFree(port)) return port
  }
})
