import { createServer } from "node:net"
import { Effect } from "effect"

/** A port of 127.0.0.1 on which nobody listens. */
export const freePort = Effect.promise(
  () =>
    new Promise<number>((resolve, reject) => {
      const server = createServer()
      server.once("error", reject)
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        server.close(() =>
          typeof address === "object" && address !== null
            ? resolve(address.port)
            : reject(new Error("no port")),
        )
      })
    }),
)
