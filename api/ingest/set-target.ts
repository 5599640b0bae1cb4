import { randomUUID } from "node:crypto"
import { Clock, Effect } from "effect"
import type { Publisher } from "#nats/publisher.ts"
import type { NewTarget } from "#schemas/report-targets.ts"
import type { TenantCredential } from "../auth/credential.ts"
import { refuse } from "../http/failure.ts"
import { readStanding } from "../queries/standing.ts"
import { dayAt, periodStart } from "../queries/target-periods.ts"
import { DIRECTORY, judge, publish } from "./intake.ts"

/** Publishes targets as directory events, each later than the one before it. */
export const targetSetter = (publisher: Publisher) => {
  let last = 0
  return Effect.fn("setTarget")(function* ({ tenant, user, id: key }: TenantCredential, target: NewTarget) {
    const now = yield* Clock.currentTimeMillis
    const { zone } = yield* readStanding(tenant)
    // Two of one millisecond would be ordered by their ids, which are random.
    last = Math.max(now, last + 1)
    const time = new Date(last).toISOString()
    const id = randomUUID()
    const data = {
      ...target,
      holds_from: target.holds_from ?? periodStart(target.period, dayAt(now, zone)),
      set_by: user ?? key,
    }
    const event = {
      specversion: "1.0",
      id,
      source: "/v1/targets",
      type: "target.set",
      time,
      tenantid: tenant,
      data,
    }
    const payload = Buffer.from(JSON.stringify(event))
    const [judged] = yield* judge(DIRECTORY, [payload], tenant, { maxClockAhead: 60_000, maxAge: 0 })
    if (judged === undefined || !judged.ok) return yield* refuse("invalid_body", judged?.detail ?? "")
    yield* publish(publisher, [judged.message])
    return { id, ...data, set_at: time }
  })
}
