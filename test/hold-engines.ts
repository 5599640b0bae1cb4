// Starts both engines and holds them until it is killed. Arguments: data directory, NATS port, HTTP port, TCP port.
// Says the engines' process ids in one line of JSON once both are ready.
import { readFileSync } from "node:fs"
import { Effect } from "effect"
import { embeddedClickHouse } from "../deploy/engines/clickhouse.ts"
import { embeddedNats, natsPidFile } from "../deploy/engines/nats.ts"

const [dataDir = "", ...ports] = process.argv.slice(2)
const [port = 0, httpPort = 0, tcpPort = 0] = ports.map(Number)

await Effect.runPromise(
  Effect.scoped(
    Effect.gen(function* () {
      yield* embeddedNats({ dataDir, port })
      const store = yield* embeddedClickHouse({ dataDir, httpPort, tcpPort })
      console.log(JSON.stringify([Number(readFileSync(natsPidFile(dataDir), "utf8")), store.process.pid]))
      return yield* Effect.never
    }),
  ),
)
