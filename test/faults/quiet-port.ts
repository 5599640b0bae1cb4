import { Effect } from "effect"
import { portIsFree } from "../../deploy/engines/child.ts"

const FROM = 12_000
const TO = 32_000

/**
 * A free port below those from which systems take the near ends of connections: while the server that listens on it is
 * down, no connection is given it.
 */
export const quietPort = Effect.suspend(() => {
  const port = FROM + Math.floor(Math.random() * (TO - FROM))
  return Effect.as(portIsFree("nats", port, ""), port)
}).pipe(Effect.retry({ times: 100 }), Effect.orDie)
