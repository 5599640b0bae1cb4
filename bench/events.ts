import { CATALOGUE } from "#schemas/catalogue.ts"
import { actionSubject, messageId } from "#schemas/names.ts"
import type { Message } from "#nats/publisher.ts"
import { uuid } from "./uuid.ts"

const TENANTS = 8
export const BENCH_USERS = 500
export const BENCH_TENANTS: ReadonlyArray<string> = Array.from({ length: TENANTS }, (_, n) => `bench-${n}`)
const CLIENTS = 40
const JOBS = 200
const CANDIDATES = 5000

const MEMBER = CATALOGUE.actions.filter((action) => action.activates_member)

/** One plausible event of about 400 bytes; `n` makes it repeatable, `time` is in milliseconds since 1970. */
export const benchEvent = (n: number, time: number): Message => {
  const tenant = `bench-${n % TENANTS}`
  const action = MEMBER[n % MEMBER.length]
  const type = action?.type ?? "note.logged"
  const id = uuid(n)
  const event = {
    specversion: "1.0",
    id,
    source: "/ats/web",
    type,
    time: new Date(time).toISOString(),
    tenantid: tenant,
    data: {
      actor_id: `u_${(n * 7919) % BENCH_USERS}`,
      actor_type: "member",
      client_id: `c_${n % CLIENTS}`,
      candidate_id: `k_${n % CANDIDATES}`,
      contact_id: `p_${n % CANDIDATES}`,
      job_id: `j_${n % JOBS}`,
      page: "jobs/candidates",
      channel: "web",
      ...(n % 4 === 0 ? { properties: { file: "cv.pdf", position: n % 20 } } : {}),
    },
  }
  return {
    subject: actionSubject(tenant, type),
    messageId: messageId(tenant, id),
    payload: Buffer.from(JSON.stringify(event)),
  }
}
