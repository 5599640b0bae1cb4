import { Effect, Schema } from "effect"
import { ACTION_BY_TYPE } from "#schemas/catalogue.ts"
import {
  type Signal,
  SIGNAL_TYPES,
  type SignalEvidence,
  type SignalsParameters,
  type SignalType,
} from "#schemas/report-signals.ts"
import { cursors } from "./cursor.ts"
import { localTime } from "./local-days.ts"
import { type Names, readNames } from "./names.ts"
import type { Opened } from "./report.ts"
import { BEGINNING, pairKey, type SignalPlace } from "./signal-asked.ts"
import { type Engaged, engagedSince, INTEREST, readEngaged } from "./signal-engaged.ts"
import { type EvidenceEvent, readEvidence } from "./signal-evidence.ts"
import { MEANS, type OffPlatform, readOffPlatform } from "./signal-off-platform.ts"
import { readPairs } from "./signal-pairs.ts"
import { engagedReasons, offPlatformReasons, TEXTS } from "./signal-texts.ts"

/** A page ends with a signal; those of a type follow each other by client and job or candidate. */
const signalCursors = cursors(
  Schema.Struct({ type: Schema.Literals(SIGNAL_TYPES), client: Schema.String, subject: Schema.String }),
)

/** A signal before its names are known. */
type Bare = Omit<Signal, "client_name" | "job_title" | "candidate_name" | "evidence"> & {
  readonly events: ReadonlyArray<EvidenceEvent>
}

const bareEngaged = Effect.fnUntraced(function* (opened: Opened, found: ReadonlyArray<Engaged>) {
  const { settings, standing } = opened
  const evidence = yield* readEvidence(
    opened,
    "job_id",
    INTEREST,
    engagedSince(opened),
    found.map(({ client_id, job_id, days }) => ({ client: client_id, subject: job_id, days })),
  )
  return found.map((row): Bare => {
    const { client_id, job_id, first_at, last_at, events } = row
    return {
      type: "engaged_not_scheduling",
      client_id,
      job_id,
      candidate_id: null,
      text: TEXTS.engaged_not_scheduling,
      reasons: engagedReasons(row, settings.signals, standing.zone),
      first_at,
      last_at,
      events: evidence.get(pairKey(client_id, job_id)) ?? [],
      evidence_total: events,
    }
  })
})

const bareOffPlatform = Effect.fnUntraced(function* (opened: Opened, found: ReadonlyArray<OffPlatform>) {
  const { settings, standing, now } = opened
  const pairs = yield* readPairs(opened, found)
  // A repair may have taken a pair away between the two readings.
  const there = found.flatMap(({ client_id, candidate_id, contract_months }) => {
    const pair = pairs.get(pairKey(client_id, candidate_id))
    return pair === undefined ? [] : [{ ...pair, contract_months }]
  })
  const evidence = yield* readEvidence(
    opened,
    "candidate_id",
    MEANS,
    0,
    there.map(({ client_id, candidate_id, days }) => ({ client: client_id, subject: candidate_id, days })),
  )
  return there.map((pair): Bare => {
    const { client_id, candidate_id, first_at, last_at, reveals, downloads } = pair
    return {
      type: "off_platform_risk",
      client_id,
      job_id: null,
      candidate_id,
      text: TEXTS.off_platform_risk,
      reasons: offPlatformReasons(pair, settings.signals, standing.zone, now),
      first_at,
      last_at,
      events: evidence.get(pairKey(client_id, candidate_id)) ?? [],
      evidence_total: reveals + downloads,
    }
  })
})

const readOfType = Effect.fnUntraced(function* (
  type: SignalType,
  opened: Opened,
  parameters: SignalsParameters,
  after: SignalPlace,
  wanted: number,
) {
  if (type === "engaged_not_scheduling") {
    const found = yield* readEngaged(opened, parameters, after, wanted + 1)
    return { bare: yield* bareEngaged(opened, found.slice(0, wanted)), more: found.length > wanted }
  }
  const found = yield* readOffPlatform(opened, parameters, after, wanted + 1)
  return { bare: yield* bareOffPlatform(opened, found.slice(0, wanted)), more: found.length > wanted }
})

interface Directory {
  readonly users: Names
  readonly clients: Names
  readonly candidates: Names
  readonly jobs: Names
}

const readDirectory = (opened: Opened, signals: ReadonlyArray<Bare>) => {
  const events = signals.flatMap((signal) => signal.events)
  const names = (kind: keyof Directory, ids: ReadonlyArray<string>) => readNames(opened, kind, ids)
  return Effect.all(
    {
      users: names(
        "users",
        events.map(({ actor_id }) => actor_id),
      ),
      clients: names(
        "clients",
        signals.map(({ client_id }) => client_id),
      ),
      candidates: names("candidates", [
        ...signals.map(({ candidate_id }) => candidate_id ?? ""),
        ...events.map(({ candidate_id }) => candidate_id),
      ]),
      jobs: names(
        "jobs",
        signals.map(({ job_id }) => job_id ?? ""),
      ),
    },
    { concurrency: "unbounded" },
  )
}

const evidenceOf = (event: EvidenceEvent, zone: string, { users, candidates }: Directory): SignalEvidence => {
  const actor = users.get(event.actor_id)
  return {
    id: event.id,
    type: event.type,
    action_label: ACTION_BY_TYPE.get(event.type)?.label ?? event.type,
    occurred_at: localTime(Date.parse(event.time), zone),
    occurred_at_utc: event.time,
    quantity: event.quantity,
    actor: { id: event.actor_id, type: "client", name: actor?.name ?? null, email: actor?.email ?? null },
    candidate_id: event.candidate_id === "" ? null : event.candidate_id,
    candidate_name: candidates.get(event.candidate_id)?.name ?? null,
    job_id: event.job_id === "" ? null : event.job_id,
  }
}

/** A page of signals, type by type, with the names of its own ids alone. */
export const readSignals = Effect.fn("readSignals")(function* (
  parameters: SignalsParameters,
  opened: Opened,
) {
  const { tenant, standing } = opened
  const { limit = 20, type: asked = SIGNAL_TYPES } = parameters
  const place = yield* signalCursors.read(tenant, parameters)
  const types = SIGNAL_TYPES.filter((type) => asked.includes(type))
  const signals: Array<Bare> = []
  let more = false
  for (const type of types.slice(place === undefined ? 0 : types.indexOf(place.type))) {
    const after = place?.type === type ? place : BEGINNING
    const page = yield* readOfType(type, opened, parameters, after, limit - signals.length)
    signals.push(...page.bare)
    more = page.more
    if (more) break
  }
  const last = signals.at(-1)
  const directory = yield* readDirectory(opened, signals)
  return {
    rows: signals.map(({ events, ...signal }): Signal => ({
      ...signal,
      client_name: directory.clients.get(signal.client_id)?.name ?? null,
      job_title: directory.jobs.get(signal.job_id ?? "")?.name ?? null,
      candidate_name: directory.candidates.get(signal.candidate_id ?? "")?.name ?? null,
      evidence: events.map((event) => evidenceOf(event, standing.zone, directory)),
    })),
    nextCursor:
      more && last !== undefined
        ? signalCursors.write(tenant, parameters, {
            type: last.type,
            client: last.client_id,
            subject: last.job_id ?? last.candidate_id ?? "",
          })
        : null,
  }
})
