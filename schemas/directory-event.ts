import { Schema } from "effect"
import { envelopeFields, Id, PersonId, text } from "./envelope.ts"
import { ZONE } from "./patterns.ts"
import { isScoped, targetEventFields } from "./target.ts"

const Name = text(1, 500)
const Email = text(0, 320)

/** What ICU takes for zones beside those of the IANA database (its table `icuzones`), and ClickHouse does not. */
const ONLY_ICU = new Set(
  `ACT AET AGT ART AST BET BST CAT CNT CST CTT EAT ECT IET IST JST MIT NET NST PLT PNT PRT PST SST VST
   CANADA/EAST-SASKATCHEWAN US/PACIFIC-NEW`.split(/\s+/u),
)
const isOnlyIcu = (zone: string): boolean => {
  const name = zone.toUpperCase()
  return ONLY_ICU.has(name) || name.startsWith("SYSTEMV/")
}

/** Intl takes zones in any case, ClickHouse does not; Intl also has an older name for some (Asia/Calcutta). */
const isZone = (zone: string): boolean => {
  if (isOnlyIcu(zone)) return false
  try {
    const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions()
    return timeZone === zone || timeZone.toLowerCase() !== zone.toLowerCase()
  } catch {
    return false
  }
}

const zoneName = "the name of an IANA time zone"
export const Zone = Schema.String.check(
  Schema.isPattern(ZONE, { expected: zoneName }),
  Schema.makeFilter(isZone, { expected: zoneName, description: zoneName, toJsonSchema: () => ({}) }),
)

export const USER_KINDS = ["member", "client"] as const
export const JOB_STATUSES = ["open", "closed"] as const

/** The fields of `data` of each type of directory event. */
export const directoryDataFields = {
  "tenant.upserted": {
    name: Name,
    time_zone: Zone,
    contract_months: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1200 }))),
  },
  "team.upserted": { team_id: Id, name: Name },
  "user.upserted": {
    user_id: PersonId,
    kind: Schema.Literals(USER_KINDS),
    name: Name,
    email: Email,
    team_ids: Schema.Array(Id).check(Schema.isMaxLength(1000)),
    client_id: Schema.optionalKey(Id),
    role: Schema.optionalKey(text(0, 200)),
  },
  "user.erased": { user_id: PersonId },
  "license.assigned": { user_id: PersonId },
  "license.disabled": { user_id: PersonId },
  "license.enabled": { user_id: PersonId },
  "license.deleted": { user_id: PersonId },
  "client.upserted": { client_id: Id, name: Name },
  "candidate.upserted": { candidate_id: Id, name: Name, email: Email },
  "candidate.erased": { candidate_id: Id },
  "job.upserted": {
    job_id: Id,
    title: Name,
    client_id: Id,
    status: Schema.Literals(JOB_STATUSES),
  },
  "target.set": targetEventFields,
} as const

export type DirectoryType = keyof typeof directoryDataFields
export const DIRECTORY_TYPES = Object.keys(directoryDataFields) as ReadonlyArray<DirectoryType>

export const isDirectoryType = (type: string): type is DirectoryType =>
  Object.hasOwn(directoryDataFields, type)

/** The schema of `data` of one type. */
export const directoryDataOf = <Type extends DirectoryType>(type: Type) => {
  const data = Schema.Struct(directoryDataFields[type])
  return type === "target.set" ? data.check(isScoped as never) : data
}

/** The whole event of one type. */
export const directoryEventOf = <Type extends DirectoryType>(type: Type) =>
  Schema.Struct({
    ...envelopeFields,
    type: Schema.Literal(type),
    data: directoryDataOf(type),
  })

/** Who and what the ids of the actions mean; travels on `directory.v1.<tenant>.<object>.<verb>`. */
export const DirectoryEvent = Schema.Union([
  directoryEventOf("tenant.upserted"),
  directoryEventOf("team.upserted"),
  directoryEventOf("user.upserted"),
  directoryEventOf("user.erased"),
  directoryEventOf("license.assigned"),
  directoryEventOf("license.disabled"),
  directoryEventOf("license.enabled"),
  directoryEventOf("license.deleted"),
  directoryEventOf("client.upserted"),
  directoryEventOf("candidate.upserted"),
  directoryEventOf("candidate.erased"),
  directoryEventOf("job.upserted"),
  directoryEventOf("target.set"),
]).annotate({ identifier: "DirectoryEvent" })
export type DirectoryEvent = typeof DirectoryEvent.Type
