import { Effect } from "effect"
import { portIsFree } from "../../deploy/engines/child.ts"

const FROM = 12_000
const TO = 32_000
/** By this process; it may not listen on them yet. */
const taken = new Set<number>()

/**
 * A free port below those from which systems take the near ends of connections: while the server that listens on it is
 * down, no connection is given it.
 */
export const quietPort = Effect.suspend(() => {
  let port: number
  do port = FROM + Math.floor(Math.random() * (TO - FROM))
  while (taken.has(port))
  taken.add(port)
  return Effect.as(portIsFree("nats", port, ""), port)
}).pipe(Effect.retry({ times: 100 }), Effect.orDie)
