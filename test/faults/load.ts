import { actionSubject, directorySubject, messageId } from "#schemas/names.ts"
import type { Message, Publisher } from "#nats/publisher.ts"
import { Expected, type Sent } from "./expected.ts"
import { references } from "./single-events.ts"
import type { Random } from "../../deploy/demo/random.ts"

const TENANTS = [
  { tenant: "kathmandu", zone: "Asia/Kathmandu" },
  { tenant: "london", zone: "Europe/London" },
  { tenant: "newfoundland", zone: "America/St_Johns" },
] as const
const ACTIONS = ["note.logged", "contact.created", "phone_call.logged"] as const
const DAY = 86_400_000
/** Late repeats are sent this long after the first, when the broker has forgotten it. */
const FORGOTTEN = 1.3

const encode = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))

/** Publishes events for as long as it is told, fresh and old, with repeats at once and late, and bad ones between. */
export class Load {
  readonly expected = new Expected()
  readonly #publisher: Publisher
  readonly #random: Random
  readonly #window: number
  readonly #late: Array<{ readonly at: number; readonly message: Message }> = []
  #n = 0
  bad = 0

  constructor(publisher: Publisher, random: Random, window: number) {
    this.#publisher = publisher
    this.#random = random
    this.#window = window
  }

  /** Tells the directory each tenant's zone. */
  async introduce(): Promise<void> {
    for (const { tenant, zone } of TENANTS) {
      const event = {
        specversion: "1.0",
        id: "zone",
        source: "/faults",
        type: "tenant.upserted",
        time: "2026-01-01T00:00:00Z",
        tenantid: tenant,
        data: { name: tenant, time_zone: zone },
      }
      await this.#publisher.publish({
        subject: directorySubject(tenant, event.type),
        messageId: messageId(tenant, event.id),
        payload: encode(event),
      })
    }
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
        for (const message of this.#next()) acknowledgements.push(this.#publisher.publish(message))
      }
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await Promise.all(acknowledgements)
  }

  /** Publishes the late repeats that are still due, once their time has come. */
  async finish(): Promise<void> {
    for (const { at, message } of this.#late.splice(0)) {
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, at - Date.now())))
      await this.#publisher.publish(message)
    }
  }

  *#next(): Generator<Message> {
    const random = this.#random
    while (this.#late[0] !== undefined && this.#late[0].at <= Date.now()) {
      const due = this.#late.shift()
      if (due !== undefined) yield due.message
    }
    const { tenant, zone } = random.pick(TENANTS)
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
      this.bad++
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
