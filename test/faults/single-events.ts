import { actionSubject, directorySubject, messageId } from "#schemas/names.ts"
import type { Message, Publisher } from "#nats/publisher.ts"
import type { Sent } from "./expected.ts"

const ZONE = "Asia/Kathmandu"
const DAY = 86_400_000

/** Tells the directory in which zone a tenant counts its days. */
export const zoneMessage = (tenant: string, zone: string): Message => {
  const event = {
    specversion: "1.0",
    id: "zone",
    source: "/faults",
    type: "tenant.upserted",
    time: "2026-01-01T00:00:00Z",
    tenantid: tenant,
    data: { name: tenant, time_zone: zone },
  }
  return {
    subject: directorySubject(tenant, event.type),
    messageId: messageId(tenant, event.id),
    payload: Buffer.from(JSON.stringify(event)),
  }
}

/** Tells the directory that these tenants count their days in `ZONE`. */
export const publishZones = async (publisher: Publisher, tenants: ReadonlyArray<string>): Promise<void> => {
  for (const tenant of tenants) await publisher.publish(zoneMessage(tenant, ZONE))
}

export interface SingleEvent {
  readonly sent: Sent
  readonly message: Message
}

/** The fields of an event's data that say what it concerns. */
export const references = ({ client, job, candidate }: Sent): Readonly<Record<string, string>> => ({
  ...(client === "" ? {} : { client_id: client }),
  ...(job === "" ? {} : { job_id: job }),
  ...(candidate === "" ? {} : { candidate_id: candidate }),
})

/** The `n`th event of a tenant: spread over a few users, actions and recent days, or at a time that is given. */
export const eventFor = (
  tenant: string,
  n: number,
  options: { readonly time?: number; readonly page?: string } = {},
): SingleEvent => {
  const sent: Sent = {
    tenant,
    zone: ZONE,
    n,
    action: n % 3 === 0 ? "contact.created" : "note.logged",
    actor: `u_${n % 4}`,
    // A week apart, so at times of one quarter hour.
    actorType: n % 5 === 4 ? "service" : n % 7 === 1 ? "client" : "member",
    client: n % 7 === 0 ? "" : "c_1",
    job: n % 7 < 4 ? "j_1" : "",
    candidate: n % 7 === 3 || n % 7 === 5 ? "" : "k_1",
    quantity: 1 + (n % 3),
    time: options.time ?? Math.floor(Date.now() / DAY) * DAY - (1 + (n % 7)) * DAY + n * 1000,
  }
  const id = `e-${n}`
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
      ...(options.page === undefined ? {} : { page: options.page }),
    },
  }
  return {
    sent,
    message: {
      subject: actionSubject(tenant, sent.action),
      messageId: messageId(tenant, id),
      payload: Buffer.from(JSON.stringify(event)),
    },
  }
}
