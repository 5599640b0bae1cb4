import type { SignalsParameters } from "#schemas/report-signals.ts"

export const DAY = 86_400_000
const QUARTER = 900_000

export const startOfQuarter = (instant: number): number => instant - (instant % QUARTER)

/** The signal after which the next one is looked for, by client and job or candidate. No id is empty. */
export interface SignalPlace {
  readonly client: string
  readonly subject: string
}
export const BEGINNING: SignalPlace = { client: "", subject: "" }

export type SignalFilters = Pick<SignalsParameters, "client_id" | "job_id">

/** The filters that are asked for, so that a statement holds only those. */
export const filtersOf = (asked: SignalFilters) => {
  const names = (["client_id", "job_id"] as const).filter((name) => asked[name] !== undefined)
  return { names, params: Object.fromEntries(names.map((name) => [name, asked[name]])) }
}

/** A client and a job or candidate as one key of a map. */
export const pairKey = (client: string, subject: string): string => JSON.stringify([client, subject])
