import { Effect } from "effect"
import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { TABLES } from "#schemas/names.ts"

/** An event as the load made it; what the store must come to is counted from these alone. */
export interface Sent {
  readonly tenant: string
  readonly zone: string
  readonly n: number
  readonly action: string
  readonly actor: string
  readonly actorType: "member" | "client" | "service"
  /** What the event concerns; empty when it concerns none. */
  readonly client: string
  readonly job: string
  readonly candidate: string
  readonly quantity: number
  readonly time: number
}

interface Sums {
  events: number
  quantity: number
  first: number
  last: number
}

const QUARTER = 900_000

/** What raw and each rollup must hold: a brute-force count that shares no code with the pipeline. */
export class Expected {
  readonly #raw = new Map<string, { rows: number; sum: number }>()
  readonly #quarters = new Map<string, Sums>()
  readonly #days = new Map<string, Sums>()
  readonly #clients = new Map<string, Sums>()
  readonly #formats = new Map<string, Intl.DateTimeFormat>()

  add(sent: Sent): void {
    const raw = this.#raw.get(sent.tenant) ?? { rows: 0, sum: 0 }
    raw.rows++
    raw.sum += sent.n
    this.#raw.set(sent.tenant, raw)
    const quarter = (Math.floor(sent.time / QUARTER) * QUARTER) / 1000
    const { client, job, candidate } = sent
    if (client !== "" && (job !== "" || candidate !== "")) {
      const byClient = sent.actorType === "client"
      const key = [sent.tenant, quarter, sent.action, client, job, candidate, byClient]
      this.#put(this.#clients, key.join(" "), sent)
    }
    if (sent.actorType !== "member") return
    const who = `${sent.actor} ${sent.action}`
    this.#put(this.#quarters, `${sent.tenant} ${quarter} ${who}`, sent)
    this.#put(this.#days, `${sent.tenant} ${sent.zone} ${this.#day(sent)} ${who}`, sent)
  }

  get rows(): number {
    return [...this.#raw.values()].reduce((total, { rows }) => total + rows, 0)
  }

  /** Every difference between the store and the count, in words; none is the proof. */
  readonly differences = Effect.fn("differences")(function* (
    this: Expected,
    /** Leaves out the tenants that this count does not know. */
    ownTenantsAlone = false,
  ): Effect.fn.Return<ReadonlyArray<string>, ClickHouseError, ClickHouse> {
    const store = yield* ClickHouse
    const found: Array<string> = []
    const tenants = [...this.#raw.keys()]
    const where = ownTenantsAlone ? "WHERE tenant IN {tenants:Array(String)}" : ""
    const params = { tenants }
    const raw = yield* store.query<{ tenant: string; rows: number; ids: number; sum: number }>(
      `SELECT tenant, count() AS rows, uniqExact(id) AS ids, sum(toUInt64(splitByChar('-', id)[2])) AS sum
       FROM ${TABLES.actions} ${where} GROUP BY tenant`,
      { params },
    )
    for (const tenant of new Set([...tenants, ...raw.map((row) => row.tenant)])) {
      const want = this.#raw.get(tenant) ?? { rows: 0, sum: 0 }
      const have = raw.find((row) => row.tenant === tenant) ?? { rows: 0, ids: 0, sum: 0 }
      if (have.rows !== want.rows || have.ids !== want.rows || have.sum !== want.sum)
        found.push(
          `raw ${tenant}: ${have.rows} rows, ${have.ids} ids, sum ${have.sum} instead of ${want.rows}, sum ${want.sum}`,
        )
    }
    const compare = Effect.fnUntraced(function* (
      table: string,
      key: string,
      want: ReadonlyMap<string, Sums>,
      times: ReadonlyArray<"first" | "last">,
    ) {
      const kept = ["events", "quantity", ...times] as const
      const have = yield* store.query<{ key: string } & Sums>(
        `SELECT ${key} AS key, sum(events) AS events, sum(quantity) AS quantity,
           toUnixTimestamp64Milli(max(last_at)) AS last,
           ${times.includes("first") ? "toUnixTimestamp64Milli(min(first_at))" : "0"} AS first
         FROM ${table} ${where} GROUP BY key HAVING events != 0 OR quantity != 0`,
        { params },
      )
      const rest = new Map(want)
      for (const row of have) {
        const sums = rest.get(row.key)
        rest.delete(row.key)
        const saying = (one: Sums | undefined) => kept.map((name) => one?.[name]).join("/")
        if (saying(sums) !== saying(row))
          found.push(`${table} ${row.key}: ${saying(row)} instead of ${saying(sums)}`)
      }
      for (const key of rest.keys()) found.push(`${table} ${key} is missing`)
    })
    yield* compare(
      TABLES.activity15m,
      "concat(tenant, ' ', toString(toUnixTimestamp(quarter)), ' ', user_id, ' ', action)",
      this.#quarters,
      ["last"],
    )
    yield* compare(
      TABLES.activityDaily,
      "concat(tenant, ' ', zone, ' ', toString(day), ' ', user_id, ' ', action)",
      this.#days,
      ["last"],
    )
    yield* compare(
      TABLES.clientActivity15m,
      `arrayStringConcat([tenant, toString(toUnixTimestamp(quarter)), action, client_id, job_id, candidate_id,
        if(by_client, 'true', 'false')], ' ')`,
      this.#clients,
      ["first", "last"],
    )
    return found
  }).bind(this)

  #put(map: Map<string, Sums>, key: string, sent: Sent): void {
    const sums = map.get(key) ?? { events: 0, quantity: 0, first: sent.time, last: 0 }
    sums.events++
    sums.quantity += sent.quantity
    sums.first = Math.min(sums.first, sent.time)
    sums.last = Math.max(sums.last, sent.time)
    map.set(key, sums)
  }

  #day({ zone, time }: Sent): string {
    let format = this.#formats.get(zone)
    if (format === undefined) {
      format = new Intl.DateTimeFormat("en-CA", {
        timeZone: zone,
        year: "numeric",
        month: "2-digit",
        day: "2-digit",
      })
      this.#formats.set(zone, format)
    }
    return format.format(time)
  }
}
