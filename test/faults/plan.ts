import type { Random } from "../../deploy/demo/random.ts"
import { LINK_FAULTS, type LinkFault } from "./proxy.ts"

/** Whose server: that of a leader at the moment of the fault, or one by its number. */
const BROKERS = ["meta", "actions", "ledger", "any"] as const
export type BrokerRole = (typeof BROKERS)[number]

export type Target =
  | { readonly what: "writer"; readonly n: number; readonly how: "kill" | "pause" }
  | { readonly what: "store"; readonly how: "kill" | "pause" }
  | { readonly what: "broker"; readonly role: BrokerRole; readonly n: number; readonly how: "kill" | "pause" }
  /** From a writer or the producer (`n` undefined) to the store, to all brokers or to one of them. */
  | {
      readonly what: "link"
      readonly n: number | undefined
      readonly to: "store" | "brokers" | number
      readonly how: LinkFault
    }

/** Times in milliseconds, `at` from the round's first fault that may be. */
export type Fault = Target & { readonly at: number; readonly lasts: number }

export interface Round {
  /** Of load before anything happens. */
  readonly lead: number
  readonly faults: ReadonlyArray<Fault>
}

export interface PlanOptions {
  readonly writers: number
  readonly servers: number
  /** Milliseconds that a fault lasts at most. */
  readonly longest: number
  /** The kinds that may be, all when it is empty. */
  readonly only: ReadonlyArray<string>
}

/** What faults are counted by. */
export const kindOf = (fault: Target): string =>
  fault.what === "link"
    ? `${fault.how} ${fault.n === undefined ? "producer" : "writer"}-${fault.to === "store" ? "store" : "broker"}`
    : `${fault.how} ${fault.what}`

export const KINDS: ReadonlyArray<string> = [
  ...(["writer", "store", "broker"] as const).flatMap((what) => [`kill ${what}`, `pause ${what}`]),
  ...LINK_FAULTS.flatMap((how) =>
    ["writer-store", "writer-broker", "producer-broker"].map((link) => `${how} ${link}`),
  ),
]

export const describeFault = (fault: Fault): string => {
  const whom = {
    writer: () => `writer ${"n" in fault ? fault.n : ""}`,
    store: () => "store",
    broker: () =>
      "role" in fault ? (fault.role === "any" ? `broker ${fault.n}` : `broker of ${fault.role}`) : "",
    link: () =>
      fault.what === "link"
        ? `${fault.n === undefined ? "producer" : `writer ${fault.n}`}-${typeof fault.to === "number" ? `broker ${fault.to}` : fault.to}`
        : "",
  }[fault.what]()
  return `${fault.how} ${whom} at ${fault.at} for ${fault.lasts} ms`
}

/** Two of one name would undo each other. Which server leads is known when it happens only. */
const nameOf = (target: Target): string =>
  target.what === "broker"
    ? `broker ${target.role} ${target.role === "any" ? target.n : ""}`
    : target.what === "link"
      ? `link ${target.n} ${target.to === "store" ? "store" : "brokers"}`
      : `${target.what} ${"n" in target ? target.n : ""}`

const AT_ONCE = 3
/** Enough to find the rarest kind. */
const TRIES = 1000
const LEAD = [100, 600] as const
const WITHIN = 600
/** Half of the faults are shorter than a writer's lease of a second, half are longer. */
const SHORT = [30, 900] as const
const LONG = 1000

const between = (random: Random, [from, to]: readonly [number, number]): number =>
  from + random.int(to - from)

const target = (random: Random, { writers, servers }: PlanOptions): Target => {
  const how = random.pick(["kill", "pause"] as const)
  const n = random.int(writers)
  const which = random.int(10)
  if (which < 3) return { what: "writer", n, how }
  if (which < 5) return { what: "store", how }
  if (which < 7) return { what: "broker", role: random.pick(BROKERS), n: random.int(servers), how }
  const from = random.chance(0.15) ? undefined : n
  const fault = random.pick(LINK_FAULTS)
  if (from !== undefined && random.chance(0.5)) return { what: "link", n: from, to: "store", how: fault }
  return {
    what: "link",
    n: from,
    to: random.chance(0.5) ? "brokers" : random.int(servers),
    how: fault,
  }
}

/** What happens in a round; the same for the same state of the generator. */
export const planRound = (random: Random, options: PlanOptions): Round => {
  const lead = between(random, LEAD)
  const many = 1 + random.int(AT_ONCE)
  const faults: Array<Fault> = []
  const names = new Set<string>()
  for (let tries = 0; faults.length < many && tries < TRIES; tries++) {
    const next = target(random, options)
    const at = random.int(WITHIN)
    const lasts = between(random, random.chance(0.5) ? SHORT : [LONG, options.longest])
    if (options.only.length > 0 && !options.only.includes(kindOf(next))) continue
    if (names.has(nameOf(next))) continue
    names.add(nameOf(next))
    faults.push({ ...next, at, lasts })
  }
  return { lead, faults }
}
