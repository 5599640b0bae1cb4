import { actionSubject, messageId } from "#schemas/names.ts"
import { type Message, type Publisher, PublishError } from "#nats/publisher.ts"
import { Expected, type Sent } from "./expected.ts"
import { references, zoneMessage } from "./single-events.ts"
import type { Random } from "../../deploy/demo/random.ts"

const ZONES = [
  { tenant: "kathmandu", zone: "Asia/Kathmandu" },
  { tenant: "london", zone: "Europe/London" },
  { tenant: "newfoundland", zone: "America/St_Johns" },
] as const
const ACTIONS = ["note.logged", "contact.created", "phone_call.logged"] as const
const DAY = 86_400_000
/** Late repeats are sent this long after the first, when the broker has forgotten it. */
const FORGOTTEN = 1.3

const encode = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))

const tenantOf = (name: string, era: number): string => (era === 0 ? name : `${name}-${era}`)

/**
 * Publishes events for as long as it is told, fresh and old, with repeats at once and late, and bad ones between. Each
 * era has tenants of its own, so that they can be counted without those before.
 */
export class Load {
  expected = new Expected()
  /** Of the eras before. */
  readonly past: Array<Expected> = []
  /** Ids of the events that must be refused. */
  readonly refused = new Set<string>()
  readonly #publisher: Publisher
  readonly #random: Random
  readonly #window: number
  readonly #late: Array<{ readonly at: number; readonly message: Message }> = []
  #n = 0
  #era = 0

  constructor(publisher: Publisher, random: Random, window: number) {
    this.#publisher = publisher
    this.#random = random
    this.#window = window
  }

  get bad(): number {
    return this.refused.size
  }

  /** Events that must be counted. */
  get total(): number {
    return this.past.reduce((sum, { rows }) => sum + rows, this.expected.rows)
  }

  /** Tells the directory the zone of each tenant of so many eras. */
  async introduce(eras = 1): Promise<void> {
    for (let era = 0; era < eras; era++)
      for (const { tenant: name, zone } of ZONES) await this.#publish(zoneMessage(tenantOf(name, era), zone))
  }

  /** Goes on with the tenants of an era, once. */
  enter(era: number): void {
    if (era === this.#era) return
    this.past.push(this.expected)
    this.expected = new Expected()
    this.#era = era
  }

  /** Publishes about `rate` events a second until `isOver`; resolves when all are acknowledged. */
  async run(rate: number, isOver: () => boolean): Promise<void> {
    const acknowledgements: Array<Promise<unknown>> = []
    const began = Date.now()
    let sent = 0
    while (!isOver()) {
      const due = ((Date.now() - began) / 1000) * rate
      while (sent < due) {
        sent++
        for (const message of this.#next()) acknowledgements.push(this.#publish(message))
      }
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await Promise.all(acknowledgements)
  }

  /** Publishes the late repeats that are still due, once their time has come. */
  async finish(): Promise<void> {
    for (const { at, message } of this.#late.splice(0)) {
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, at - Date.now())))
      await this.#publish(message)
    }
  }

  /** As a producer must: the same message until the stream has acknowledged it. */
  async #publish(message: Message): Promise<void> {
    for (;;)
      try {
        await this.#publisher.publish(message)
        return
      } catch (error) {
        if (!(error instanceof PublishError) || error.reason !== "timeout") throw error
      }
  }

  *#next(): Generator<Message> {
    const random = this.#random
    while (this.#late[0] !== undefined && this.#late[0].at <= Date.now()) {
      const due = this.#late.shift()
      if (due !== undefined) yield due.message
    }
    const { tenant: name, zone } = random.pick(ZONES)
    const tenant = tenantOf(name, this.#era)
    const now = Date.now()
    const sent: Sent = {
      tenant,
      zone,
      n: ++this.#n,
      action: random.pick(ACTIONS),
      actor: `u_${random.int(40)}`,
      actorType: random.chance(0.7) ? "member" : random.pick(["client", "service"] as const),
      client: random.chance(0.5) ? `c_${random.int(3)}` : "",
      job: random.chance(0.6) ? `j_${random.int(4)}` : "",
      candidate: random.chance(0.6) ? `k_${random.int(10)}` : "",
      quantity: random.chance(0.1) ? 2 + random.int(40) : 1,
      time: random.chance(0.7) ? now : now - random.int(45 * DAY),
    }
    const id = `e-${sent.n}`
    const event = {
      specversion: "1.0",
      id,
      source: "/faults",
      type: sent.action,
      time: new Date(sent.time).toISOString(),
      tenantid: tenant,
      data: {
        actor_id: sent.actor,
        actor_type: sent.actorType,
        quantity: sent.quantity,
        contact_id: "p_1",
        ...references(sent),
      },
    }
    const subject = actionSubject(tenant, sent.action)
    const envelope = { subject, messageId: messageId(tenant, id) }
    if (random.chance(0.003)) {
      this.refused.add(id)
      yield { ...envelope, payload: encode({ ...event, data: { ...event.data, quantity: 0 } }) }
      return
    }
    this.expected.add(sent)
    const message = { ...envelope, payload: encode(event) }
    yield message
    if (random.chance(0.02)) yield message
    if (random.chance(0.02)) this.#late.push({ at: now + this.#window * FORGOTTEN, message })
  }
}
