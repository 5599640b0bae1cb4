import type { DirectoryEvent } from "#schemas/directory-event.ts"
import { TABLES } from "#schemas/names.ts"
import { scopeId } from "#schemas/target.ts"
import { instant, type TableRow } from "../apply/insert-rows.ts"

/** The version of an erasure: nothing can follow it. */
const END_OF_TIME = "2299-12-31 23:59:59.999"

const MONTHS = 12

/** The row that a directory event makes. `time` is the event's, milliseconds since 1970. */
export const directoryRow = (event: DirectoryEvent, time: number): TableRow => {
  const tenant = event.tenantid
  const version = { version: instant(time), event_id: event.id }
  const erased = { version: END_OF_TIME, event_id: event.id, erased: true }
  switch (event.type) {
    case "tenant.upserted":
      return {
        table: TABLES.tenants,
        row: {
          tenant,
          record: { ...version, ...event.data, contract_months: event.data.contract_months ?? MONTHS },
        },
      }
    case "team.upserted":
      return {
        table: TABLES.teams,
        row: { tenant, team_id: event.data.team_id, record: { ...version, name: event.data.name } },
      }
    case "user.upserted": {
      const { user_id, kind, name, email, team_ids, client_id = "", role = "" } = event.data
      return {
        table: TABLES.users,
        row: {
          tenant,
          user_id,
          record: { ...version, kind, team_ids, client_id, role },
          personal: { ...version, name, email, erased: false },
        },
      }
    }
    case "user.erased":
      // Kind and teams stay: the numbers of old reports do not change when a name goes.
      return {
        table: TABLES.users,
        row: { tenant, user_id: event.data.user_id, personal: { ...erased, name: "", email: "" } },
      }
    case "client.upserted":
      return {
        table: TABLES.clients,
        row: { tenant, client_id: event.data.client_id, record: { ...version, name: event.data.name } },
      }
    case "candidate.upserted": {
      const { candidate_id, ...data } = event.data
      return {
        table: TABLES.candidates,
        row: { tenant, candidate_id, record: { ...version, ...data, erased: false } },
      }
    }
    case "candidate.erased":
      return {
        table: TABLES.candidates,
        row: { tenant, candidate_id: event.data.candidate_id, record: { ...erased, name: "", email: "" } },
      }
    case "job.upserted": {
      const { job_id, ...data } = event.data
      return { table: TABLES.jobs, row: { tenant, job_id, record: { ...version, ...data } } }
    }
    case "license.assigned":
    case "license.enabled":
    case "license.disabled":
    case "license.deleted":
      return {
        table: TABLES.licenseEvents,
        row: {
          tenant,
          user_id: event.data.user_id,
          time: instant(time),
          event_id: event.id,
          verb: event.type.slice("license.".length),
        },
      }
    case "target.set": {
      const { scope, metric, period, holds_from, value, set_by = "" } = event.data
      return {
        table: TABLES.targets,
        row: {
          tenant,
          scope,
          scope_id: scopeId(event.data),
          metric,
          period,
          holds_from,
          set_at: instant(time),
          event_id: event.id,
          value,
          set_by,
        },
      }
    }
  }
}
