// What the tests of signals share: worlds of a few client events, and the pages of signals.
import { expect } from "vitest"
import type { Signal } from "#schemas/report-signals.ts"
import { type Got, newTenant } from "./test-app.ts"
import { putActions, putJobs, putTenant } from "./test-rows.ts"

type Call = (path: string, key?: string, init?: RequestInit) => Promise<Got>

/** All pages of signals. */
export const signalsOf = async (
  call: Call,
  key: string,
  query = "",
  limit = 100,
): Promise<ReadonlyArray<Signal>> => {
  const signals: Array<Signal> = []
  let cursor: string | null = null
  do {
    const at: string = cursor === null ? "" : `&cursor=${cursor}`
    const { status, body } = await call(`/v1/signals?limit=${limit}&${query}${at}`, key)
    expect(status, JSON.stringify(body)).toBe(200)
    expect(body.data.length).toBeLessThanOrEqual(limit)
    signals.push(...body.data)
    cursor = body.next_cursor
  } while (cursor !== null)
  return signals
}

export interface ClientEvent {
  readonly type: string
  /** Milliseconds before now. */
  readonly ago: number
  readonly actor_type: string
  readonly automated: boolean
  readonly impersonator_id: string
  readonly quantity: number
  readonly client_id: string
  readonly job_id: string
  readonly candidate_id: string
}

/** What is left out is a single action of a user of client c_1 about candidate k_1 for job j_1. */
export type SomeEvent = Partial<ClientEvent> & Pick<ClientEvent, "type" | "ago">

export interface ClientWorld {
  readonly tenant: string
  readonly now: number
  readonly events: ReadonlyArray<
    ClientEvent & { readonly id: string; readonly actor_id: string; readonly at: number }
  >
  readonly closed: ReadonlySet<string>
  readonly months: number
}

let made = 0

/** Stores more events of a tenant, in several inserts, so that a key has rows in several parts. */
export const putClientEvents = async (tenant: string, now: number, list: ReadonlyArray<SomeEvent>) => {
  const events = list.map((event) => ({
    actor_type: "client",
    automated: false,
    impersonator_id: "",
    quantity: 1,
    client_id: "c_1",
    job_id: "j_1",
    candidate_id: "k_1",
    ...event,
    id: `e-${String(++made).padStart(6, "0")}`,
    actor_id: `cu_${made % 5}`,
    at: now - event.ago,
  }))
  const actions = events.map((event) => {
    const { at, ago: _, ...fields } = event
    return { ...fields, time: new Date(at).toISOString() }
  })
  const third = Math.ceil(actions.length / 3)
  for (let from = 0; from < actions.length; from += third)
    await putActions(tenant, "Asia/Kathmandu", actions.slice(from, from + third))
  return events
}

/** A tenant of its own with these events, an open job j_1 and some that are closed. */
export const makeClientWorld = async (
  list: ReadonlyArray<SomeEvent>,
  { closed = [], months = 12 }: { readonly closed?: ReadonlyArray<string>; readonly months?: number } = {},
): Promise<ClientWorld> => {
  const tenant = newTenant()
  await putTenant(tenant, "Asia/Kathmandu", { contract_months: months })
  await putJobs(tenant, {
    j_1: { title: "Nurse" },
    ...Object.fromEntries(closed.map((job) => [job, { title: "Gone", status: "closed" }])),
  })
  const now = Date.now()
  const events = await putClientEvents(tenant, now, list)
  return { tenant, now, events, closed: new Set(closed), months }
}
