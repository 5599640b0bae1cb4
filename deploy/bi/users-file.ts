import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { Schema } from "effect"
import { TENANT } from "#schemas/patterns.ts"
import { BI_USER, ROLES } from "./user.ts"

/** A BI user of the embedded server, which has no place for users of its own. */
export const BiUser = Schema.Struct({
  user: Schema.String.check(Schema.isPattern(BI_USER)),
  tenant: Schema.String.check(Schema.isPattern(TENANT)),
  /** Whether it sees names and e-mail addresses. */
  names: Schema.Boolean,
  password_sha256: Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/u)),
  created_at: Schema.String,
})
export type BiUser = typeof BiUser.Type

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Array(BiUser)))

const fileOf = (dataDir: string): string => join(dataDir, "clickhouse", "bi-users.json")

const renderedFile = (dataDir: string): string =>
  join(dataDir, "clickhouse", "configuration", "users.d", "tidemark-bi.xml")

const textOf = (file: string): string => {
  try {
    return readFileSync(file, "utf8")
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return ""
    throw error
  }
}

/** The file as it is; empty when there is none. */
export const biUsersText = (dataDir: string): string => textOf(fileOf(dataDir))

/** What the server was last started with. */
export const readRendered = (dataDir: string): string => textOf(renderedFile(dataDir))

export const parseBiUsers = (text: string): ReadonlyArray<BiUser> => (text === "" ? [] : decode(text))

/** Whole or not at all, as the server may start at any moment. */
export const writeBiUsers = (dataDir: string, users: ReadonlyArray<BiUser>): void => {
  const file = fileOf(dataDir)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.new`, `${JSON.stringify(users, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

const element = ({ user, names, password_sha256 }: BiUser): string => `
        <${user}>
            <password_sha256_hex>${password_sha256}</password_sha256_hex>
            <profile>tidemark_bi</profile>
            <quota>tidemark_bi</quota>
            <default_database>bi</default_database>
            <grants><query>GRANT ${names ? ROLES.names : ROLES.anonymous}</query></grants>
        </${user}>`

/** Lays the users out for the server that is about to start. */
export const installBiUsers = (dataDir: string, text: string): void =>
  writeFileSync(renderedFile(dataDir), renderBiUsers(parseBiUsers(text)), { mode: 0o600 })

/** The users as a file of users.d. */
export const renderBiUsers = (users: ReadonlyArray<BiUser>): string =>
  `<!-- Made by \`tidemark bi-users\` from bi-users.json; edits are lost. -->
<clickhouse>
    <users>${users.map(element).join("")}
    </users>
</clickhouse>
`
