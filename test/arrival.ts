import type { Arrival, Limits } from "#schemas/decode.ts"

// Messages as a stream would bring them: a valid one, to be changed where a test looks.

export const RECEIVED_AT = Date.parse("2026-11-02T09:30:01.000Z")

const DAY = 86_400_000
export const LIMITS: Limits = { maxClockAhead: 5 * 60_000, maxAge: 25 * 31 * DAY }

type Fields = Readonly<Record<string, unknown>>

/** An action event; a field that is set to undefined is left out. */
export const actionEvent = (envelope: Fields = {}, data: Fields = {}): Fields => ({
  specversion: "1.0",
  id: "0199a3f2-7c1e-7d3a-9b52-2f1f6f0f9a11",
  source: "/ats/web",
  type: "cv.downloaded",
  time: "2026-11-02T09:30:00.125Z",
  tenantid: "acme",
  data: { actor_id: "u_17", actor_type: "client", candidate_id: "k_77", ...data },
  ...envelope,
})

/** A directory event. */
export const directoryEvent = (type: string, data: Fields, envelope: Fields = {}): Fields => ({
  specversion: "1.0",
  id: "d1",
  source: "/ats/directory",
  type,
  time: "2026-11-02T09:30:00.125Z",
  tenantid: "acme",
  data,
  ...envelope,
})

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)

/** The arrival of an event on its own subject with its own message id, or as `overrides` says. */
export const arrivalOf = (event: Fields, overrides: Partial<Arrival> = {}): Arrival => ({
  payload: Buffer.from(JSON.stringify(event)),
  tenant: "acme",
  type: textOf(event["type"]),
  messageId: `acme:${String(event["id"])}`,
  checkRoute: true,
  receivedAt: RECEIVED_AT,
  ...overrides,
})

/** The arrival of a payload that need not be an event. */
export const arrivalOfBytes = (payload: string | Uint8Array, overrides: Partial<Arrival> = {}): Arrival =>
  arrivalOf(actionEvent(), { payload: Buffer.from(payload), ...overrides })
