import { TABLES } from "#schemas/names.ts"

// The directory's newest word; what it does not know has no row, and a null where it is joined.

/** (client_id, name) */
export const CLIENTS = `
  SELECT client_id, toNullable(max(record).name) AS name
  FROM ${TABLES.clients} WHERE tenant = {tenant:String} GROUP BY client_id`

/** (job_id, title, status) */
export const JOBS = `
  SELECT job_id, toNullable(max(record).title) AS title, toNullable(max(record).status) AS status
  FROM ${TABLES.jobs} WHERE tenant = {tenant:String} GROUP BY job_id`
