import { mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Schema } from "effect"
import { SUBJECTS } from "#schemas/names.ts"
import { TENANT } from "#schemas/patterns.ts"
import { replaceFile } from "./replace-file.ts"

/** A user of a tenant at NATS. The server knows its public key alone; whoever has the seed is the user. */
export const TenantUser = Schema.Struct({
  tenant: Schema.String.check(Schema.isPattern(TENANT)),
  /** What people call it. */
  name: Schema.optionalKey(Schema.String),
  public_key: Schema.String.check(Schema.isPattern(/^U[A-Z2-7]{55}$/u)),
  created_at: Schema.String,
})
export type TenantUser = typeof TenantUser.Type

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Array(TenantUser)))

/** Where nats.conf looks for the tenants' users, beside itself. */
export const usersFolder = (dataDir: string): string => join(dataDir, "nats", "users")

export const readTenantUsers = (folder: string): ReadonlyArray<TenantUser> => {
  try {
    return decode(readFileSync(join(folder, "users.json"), "utf8"))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return []
    throw error
  }
}

const account = (tenant: string, users: ReadonlyArray<TenantUser>): string => {
  const subjects = [SUBJECTS.actions, SUBJECTS.directory].map((kind) => `"${kind}.${tenant}.>"`)
  const rights = `{ publish: [ ${subjects.join(", ")} ], subscribe: [ "_INBOX.>" ] }`
  return [
    `"tenant-${tenant}" {`,
    "  imports: [",
    ...subjects.map((subject) => `    { service: { account: TIDEMARK, subject: ${subject} } }`),
    "  ]",
    "  users: [",
    ...users.map(({ public_key }) => `    { nkey: ${public_key}, permissions: ${rights} }`),
    "  ]",
    "}",
    "",
  ].join("\n")
}

/** The accounts that nats.conf includes, one a tenant. */
export const renderAccounts = (users: ReadonlyArray<TenantUser>): string =>
  [
    "# Made by `tidemark nats-users` from users.json; edits are lost.",
    ...[...Map.groupBy(users, ({ tenant }) => tenant)].map(([tenant, its]) => account(tenant, its)),
  ].join("\n")

export const writeTenantUsers = (folder: string, users: ReadonlyArray<TenantUser>): void => {
  mkdirSync(folder, { recursive: true })
  replaceFile(join(folder, "users.json"), `${JSON.stringify(users, null, 2)}\n`)
  replaceFile(join(folder, "tenants.conf"), renderAccounts(users))
}

/** The file that nats.conf includes must be there, be it empty. */
export const ensureTenantUsers = (folder: string): void => writeTenantUsers(folder, readTenantUsers(folder))
