import { createHash, randomBytes } from "node:crypto"

/**
 * A BI user's name says whose rows it sees: the row policies in deploy/clickhouse/users.xml take the tenant from it. A
 * tenant's name has no underscore.
 */
export const biUser = (tenant: string, name?: string): string =>
  name === undefined ? `bi_${tenant}` : `bi_${tenant}_${name}`

export const BI_USER = /^bi_[a-z0-9-]{1,63}(?:_[a-z0-9-]{1,32})?$/u

export const tenantOf = (user: string): string => user.split("_")[1] ?? ""

/** The roles of users.xml: what the users may read. */
export const ROLES = { names: "tidemark_bi_names", anonymous: "tidemark_bi_anonymous" } as const

export const makePassword = (): string => randomBytes(24).toString("base64url")

export const sha256 = (password: string): string => createHash("sha256").update(password).digest("hex")
