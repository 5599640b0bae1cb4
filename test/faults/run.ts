import { join } from "node:path"
import { parseArgs } from "node:util"
import { Cause, Effect, Exit } from "effect"
import { newerNatsAt, newestNats } from "./newer-nats.ts"
import { KINDS } from "./plan.ts"
import { runSuite } from "./suite.ts"

const USAGE = `npm run test:faults -- [options]
  --rounds N         rounds of one to three faults at once (100)
  --seed N           the same faults in the same order as another run of this seed
  --rate N           events a second (1000)
  --count-every N    rounds between two counts and audits (1)
  --writers N        processes (3)
  --partitions N     streams that the actions are in (3)
  --longest MS       the longest that a fault lasts (4000)
  --only KIND        this kind of fault alone; may be given several times
  --nats-server PATH this one, of 2.10.27 or newer, in place of the newest that Debian has
  --require-cluster  fail where no nats-server for a cluster can be had, instead of running on one server
Kinds: ${KINDS.join(", ")}`

const say = (line: string) => process.stdout.write(`${line}\n`)
const stop = (text: string): never => {
  process.stderr.write(`${text}\n`)
  process.exit(2)
}

const read = () => {
  try {
    return parseArgs({
      options: {
        rounds: { type: "string", default: "100" },
        seed: { type: "string", default: String(Date.now() % 1_000_000) },
        rate: { type: "string", default: "1000" },
        "count-every": { type: "string", default: "1" },
        writers: { type: "string", default: "3" },
        partitions: { type: "string", default: "3" },
        longest: { type: "string", default: "4000" },
        only: { type: "string", multiple: true, default: [] },
        "nats-server": { type: "string" },
        "require-cluster": { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values
  } catch (error) {
    return stop(`${(error as Error).message}\n\n${USAGE}`)
  }
}
const values = read()
if (values.help) {
  say(USAGE)
  process.exit(0)
}
const number = (
  name: "rounds" | "seed" | "rate" | "count-every" | "writers" | "partitions" | "longest",
  least: number,
): number => {
  const value = Number(values[name])
  return Number.isSafeInteger(value) && value >= least
    ? value
    : stop(`--${name} is ${JSON.stringify(values[name])}; expected a whole number of at least ${least}`)
}
const unknown = values.only.find((kind) => !KINDS.includes(kind))
if (unknown !== undefined) stop(`--only is ${JSON.stringify(unknown)}; expected one of ${KINDS.join(", ")}`)

const options = {
  rounds: number("rounds", 1),
  seed: number("seed", 0),
  rate: number("rate", 1),
  countEvery: number("count-every", 1),
  writers: number("writers", 1),
  partitions: number("partitions", 1),
  longest: number("longest", 1001),
  only: values.only,
  say,
}
const own = values["nats-server"]
const nats =
  own === undefined
    ? newestNats()
    : (newerNatsAt(own) ?? stop(`${own} is no nats-server of 2.10.27 or newer`))
if (!("missing" in nats))
  say(
    `seed ${options.seed}: ${options.writers} writers, ${options.partitions} partitions, three nats-server ${nats.version}`,
  )
else if (values["require-cluster"]) stop(`no nats-server for a cluster: ${nats.missing}`)
else say(`seed ${options.seed}: ONE nats-server of one replica, no cluster: ${nats.missing}`)

// Writers are started all the time, and most of a start is compiling.
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, "..", "..", "node_modules", ".cache", "node")

const began = Date.now()
const exit = await Effect.runPromiseExit(runSuite({ ...options, nats }))
const seconds = Math.round((Date.now() - began) / 1000)
if (Exit.isSuccess(exit)) {
  const { faults, restarts, events, deadLetters } = exit.value
  const total = Object.values(faults).reduce((sum, n) => sum + n, 0)
  say(`faults by kind: ${JSON.stringify(faults)}`)
  say(
    `seed ${options.seed}: ${options.rounds} rounds in ${seconds} s: ${total} faults, ${events} events, ${deadLetters.found} dead letters of ${deadLetters.wanted}, ${restarts} brokers that hung and were started again, 0 differences`,
  )
} else {
  say(Cause.pretty(exit.cause))
  say(`seed ${options.seed}: FAILED after ${seconds} s`)
  process.exitCode = 1
}
