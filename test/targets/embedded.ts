import { Effect } from "effect"
import { embeddedClickHouse } from "../../deploy/engines/clickhouse.ts"
import { embeddedNats } from "../../deploy/engines/nats.ts"
import { writeBiUsers } from "../../deploy/bi/users-file.ts"
import { BI_USERS } from "../bi-users.ts"
import { freePort } from "../free-port.ts"
import { removeLeftovers, temporaryFolder } from "../temporary-folder.ts"

/** Both engines as child processes with an empty store, on free ports, until the scope ends. */
export const embedded = Effect.gen(function* () {
  removeLeftovers()
  const dataDir = yield* temporaryFolder
  writeBiUsers(dataDir, BI_USERS)
  const [natsPort, httpPort, tcpPort] = yield* Effect.all([freePort, freePort, freePort])
  yield* Effect.all(
    [embeddedNats({ dataDir, port: natsPort }), embeddedClickHouse({ dataDir, httpPort, tcpPort })],
    { concurrency: "unbounded" },
  )
  return { natsUrl: `nats://127.0.0.1:${natsPort}`, clickhouseUrl: `http://127.0.0.1:${httpPort}` }
})
