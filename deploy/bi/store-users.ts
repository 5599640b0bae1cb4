import { ClickHouse, type ClickHouseError } from "#clickhouse"
import { Effect } from "effect"
import { BI_USER, ROLES, tenantOf } from "./user.ts"

// BI users of a deployed server, which keeps them itself. GRANT and DROP USER take no parameters, so names stand in the
// statements: they are of the form that makes them harmless.

const quoted = (user: string): string => {
  if (!BI_USER.test(user)) throw new Error(`not the name of a BI user: ${user}`)
  return `\`${user}\``
}

const CREATE = `
CREATE USER OR REPLACE {user:Identifier}
IDENTIFIED WITH sha256_hash BY {password_sha256:String}
DEFAULT DATABASE bi
SETTINGS PROFILE 'tidemark_bi'`

/** The quota of users.xml cannot be given to users that are not in a file; this is the same one, for the roles. */
const QUOTA = `
CREATE QUOTA OR REPLACE tidemark_bi_users KEYED BY user_name
FOR INTERVAL 1 HOUR MAX queries = 20000, execution_time = 3600
TO ${ROLES.anonymous}, ${ROLES.names}`

const LIST = `
SELECT users.name AS user, countIf(roles.granted_role_name = '${ROLES.names}') > 0 AS names
FROM system.users AS users
LEFT JOIN system.role_grants AS roles ON roles.user_name = users.name
WHERE startsWith(users.name, 'bi_')
GROUP BY user
ORDER BY user`

/** The statements that make a user, in order: until the last it may read nothing. */
export const creating = (user: string, names: boolean): ReadonlyArray<string> => [
  QUOTA,
  CREATE,
  `GRANT ${names ? ROLES.names : ROLES.anonymous} TO ${quoted(user)}`,
]

export const dropping = (user: string): string => `DROP USER IF EXISTS ${quoted(user)}`

export const createStoreUser = Effect.fn("createStoreUser")(function* (
  user: string,
  password_sha256: string,
  names: boolean,
): Effect.fn.Return<void, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  for (const statement of creating(user, names))
    yield* store.command(statement, statement === CREATE ? { params: { user, password_sha256 } } : {})
})

export const dropStoreUsers = Effect.fn("dropStoreUsers")(function* (
  users: ReadonlyArray<string>,
): Effect.fn.Return<void, ClickHouseError, ClickHouse> {
  const store = yield* ClickHouse
  for (const user of users) yield* store.command(dropping(user))
})

export const listStoreUsers = Effect.fn("listStoreUsers")(function* (): Effect.fn.Return<
  ReadonlyArray<{ readonly user: string; readonly tenant: string; readonly names: boolean }>,
  ClickHouseError,
  ClickHouse
> {
  const store = yield* ClickHouse
  const rows = yield* store.query<{ readonly user: string; readonly names: 0 | 1 }>(LIST)
  return rows
    .filter(({ user }) => BI_USER.test(user))
    .map(({ user, names }) => ({ user, tenant: tenantOf(user), names: names === 1 }))
})
