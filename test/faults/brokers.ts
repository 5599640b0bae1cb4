import { copyFileSync, mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { BUCKETS } from "#schemas/names.ts"
import { embeddedNats, natsPidFile } from "../../deploy/engines/nats.ts"
import { ensurePasswords } from "../../deploy/nats/passwords.ts"
import { makeEngine } from "./engine.ts"
import { freePort } from "../free-port.ts"

/** Whose leader is meant: of all of JetStream, of a stream, of the ledger. */
export type Led = "meta" | "ledger" | { readonly stream: string }

interface Account {
  readonly stream_detail?: ReadonlyArray<{
    readonly name: string
    readonly cluster?: { readonly leader?: string }
  }>
}
interface JetStreamz {
  readonly consumers?: number
  readonly meta_cluster?: { readonly leader?: string }
  readonly account_details?: ReadonlyArray<Account>
}

const PATIENCE = 500
/** An election takes some 10 s at most. Milliseconds. */
const ELECTION = 40_000
/**
 * No server has so many consumers but one that hangs: it serves its streams and applies nothing of the cluster's log, so it makes
 * and removes none (seen on 2.10.27 after some hundred kills; nothing but a restart helps).
 */
const LEFT = 100

/** What a server says of its JetStream; undefined while it does not answer. */
const jetstreamz = async (port: number): Promise<JetStreamz | undefined> => {
  try {
    const signal = AbortSignal.timeout(PATIENCE)
    const answer = await fetch(`http://127.0.0.1:${port}/jsz?accounts=true&streams=true`, { signal })
    return (await answer.json()) as JetStreamz
  } catch {
    return undefined
  }
}

/** The servers of the fault suite, one or a cluster, each of which can be killed, stopped and started again. */
export const makeBrokers = Effect.fn("makeBrokers")(function* (
  dataDir: string,
  options: { readonly servers: number; readonly program: string; readonly partitions: number },
) {
  const places = yield* Effect.all(
    Array.from({ length: options.servers }, (_, n) =>
      Effect.map(Effect.all([freePort, freePort, freePort]), ([port, clusterPort, monitorPort]) => ({
        name: `n${n}`,
        folder: join(dataDir, `n${n}`),
        port,
        clusterPort,
        monitorPort,
      })),
    ),
  )
  const routes = places.map(({ clusterPort }) => `nats://127.0.0.1:${clusterPort}`)
  const cluster = (clusterPort: number) =>
    places.length === 1
      ? []
      : [
          // Clients know the servers by the links to them alone. With a pool of routes, servers that were killed at short
          // intervals were seen to hear each other no more, for ever (2.10.27).
          `cluster { name: faults, listen: "127.0.0.1:${clusterPort}", no_advertise: true, pool_size: -1, routes: ${JSON.stringify(routes)} }`,
        ]
  const passwordsOf = (folder: string) => join(folder, "nats", "passwords.json")
  const { folder: first } = places[0] ?? { folder: dataDir }
  const passwords = ensurePasswords(first)
  const servers = yield* Effect.all(
    places.map(({ name, folder, port, clusterPort, monitorPort }) =>
      Effect.gen(function* () {
        mkdirSync(join(folder, "nats"), { recursive: true })
        if (folder !== first) copyFileSync(passwordsOf(first), passwordsOf(folder))
        const engine = yield* makeEngine(
          embeddedNats({
            dataDir: folder,
            port,
            program: options.program,
            partitions: options.partitions,
            configuration: [
              `server_name: ${name}`,
              `http: "127.0.0.1:${monitorPort}"`,
              ...cluster(clusterPort),
            ],
          }),
          () => Number(readFileSync(natsPidFile(folder), "utf8")),
        )
        return { name, port, monitorPort, ...engine }
      }),
    ),
  )

  type Server = (typeof servers)[number]

  /** The server that leads, as the first of the others that answers says; any server when nobody knows. */
  const leaderOf = Effect.fnUntraced(function* (led: Led) {
    for (const { monitorPort } of servers) {
      const said = yield* Effect.promise(() => jetstreamz(monitorPort))
      const stream = led === "ledger" ? `KV_${BUCKETS.ledger}` : led === "meta" ? undefined : led.stream
      const leader =
        stream === undefined
          ? said?.meta_cluster?.leader
          : said?.account_details
              ?.flatMap(({ stream_detail = [] }) => stream_detail)
              .find(({ name }) => name === stream)?.cluster?.leader
      const found = servers.find(({ name }) => name === leader)
      if (found !== undefined) return found
    }
    return servers[0]
  })

  const isLed = Effect.promise(async () => {
    if (servers.length === 1) return true
    const said = await Promise.all(servers.map(({ monitorPort }) => jetstreamz(monitorPort)))
    return said.some((one) => one?.meta_cluster?.leader !== undefined)
  })

  let restarts = 0
  const startAgain = (hung: ReadonlyArray<Server>) =>
    Effect.forEach(
      hung,
      (server) => {
        restarts++
        return Effect.andThen(server.kill(), server.start)
      },
      { discard: true },
    )

  const isLeft = Effect.fnUntraced(function* ({ monitorPort }: Server) {
    const said = yield* Effect.promise(() => jetstreamz(monitorPort))
    return (said?.consumers ?? 0) > LEFT
  })

  /**
   * Waits for a cluster that elects; one that does not come to it is started again, and so is a server that hangs. Says how
   * many servers had to be.
   */
  const comeBack = Effect.gen(function* () {
    const began = Date.now()
    while (!(yield* isLed)) {
      if (Date.now() - began > ELECTION) {
        yield* startAgain(servers)
        return servers.length
      }
      yield* Effect.sleep("500 millis")
    }
    const hung = yield* Effect.filter(servers, isLeft)
    yield* startAgain(hung)
    return hung.length
  })

  return {
    servers,
    comeBack,
    /** For a cluster that answers nothing. */
    startAllAgain: startAgain(servers),
    /** How many servers were started again because they hung. */
    restarts: () => restarts,
    leaderOf,
    password: passwords.writer,
  }
})
