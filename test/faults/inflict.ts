import { Effect } from "effect"
import type { ClusterWorld } from "./cluster-world.ts"
import { type Fault, type Target } from "./plan.ts"
import type { Link } from "./proxy.ts"
import { hasEnded, kill, type WriterProcess } from "./writers.ts"

type Broker = ClusterWorld["brokers"]["servers"][number]

/** The writers of a world that are up, and what can be done to all of it. */
export const makeInflictor = Effect.fn("makeInflictor")(function* (world: ClusterWorld) {
  const { writers, brokers, store, producer, streams } = world
  const processes: Array<WriterProcess> = yield* Effect.all(writers.map(({ start }) => start))
  /** Servers that something is done to already. */
  const busy = new Set<Broker>()

  const brokerFor = Effect.fnUntraced(function* ({ role, n }: Target & { readonly what: "broker" }) {
    const wanted =
      role === "any"
        ? brokers.servers[n]
        : yield* brokers.leaderOf(role === "actions" ? { stream: streams[n % streams.length] ?? "" } : role)
    return wanted !== undefined && !busy.has(wanted)
      ? wanted
      : brokers.servers.find((server) => !busy.has(server))
  })

  const linksFor = ({ n, to }: Target & { readonly what: "link" }): ReadonlyArray<Link> => {
    const from = n === undefined ? undefined : writers[n]
    if (to === "store") return from === undefined ? [] : [from.toStore]
    const links = (from ?? producer).toBrokers
    return to === "brokers" ? links : links.slice(to, to + 1)
  }

  /** Begins a fault; gives what ends it. */
  const begin = Effect.fnUntraced(function* (fault: Fault) {
    if (fault.what === "writer") {
      const { n, how } = fault
      const process = processes[n]
      if (process === undefined) return Effect.void
      if (how === "pause") {
        process.process.kill("SIGSTOP")
        return Effect.sync(() => void process.process.kill("SIGCONT"))
      }
      yield* kill(process)
      return Effect.gen(function* () {
        const started = yield* writers[n]?.start ?? Effect.succeed(process)
        processes[n] = started
      })
    }
    if (fault.what === "link") {
      const links = linksFor(fault)
      for (const link of links) link.set(fault.how)
      return Effect.sync(() => {
        for (const link of links) link.set("pass")
      })
    }
    const broker = fault.what === "broker" ? yield* brokerFor(fault) : undefined
    if (fault.what === "broker" && broker === undefined) return Effect.void
    if (broker !== undefined) busy.add(broker)
    const engine = broker ?? store
    yield* fault.how === "kill" ? engine.kill() : engine.signal("SIGSTOP")
    return (fault.how === "kill" ? engine.start : engine.signal("SIGCONT")).pipe(
      Effect.ensuring(Effect.sync(() => broker !== undefined && busy.delete(broker))),
    )
  })

  /** One fault from its beginning to its end, which comes in any case. */
  const inflict = (fault: Fault) =>
    Effect.sleep(fault.at).pipe(
      Effect.andThen(
        Effect.acquireUseRelease(
          begin(fault),
          () => Effect.sleep(fault.lasts),
          (end) => Effect.orDie(end),
        ),
      ),
    )

  /** Writers that ended though nobody killed them. */
  const ended = Effect.sync(() =>
    processes.flatMap((writer, n) =>
      hasEnded(writer)
        ? [
            `writer ${n} ended by itself (${writer.process.exitCode ?? writer.process.signalCode}): ${writer.log().slice(-500)}`,
          ]
        : [],
    ),
  )

  return { inflict, ended, stop: Effect.forEach(processes, (writer) => kill(writer, "SIGTERM")) }
})
