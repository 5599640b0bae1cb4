import { Clock, Effect, Schema } from "effect"
import { settingsReader } from "../../api/auth/settings.ts"
import { clickhouseOf, natsOf } from "../services.ts"
import { clickhouseUrlOf, type Settings } from "../settings.ts"
import { answers, startsWith } from "./restart.ts"
import { createStoreUser, dropStoreUsers, listStoreUsers } from "./store-users.ts"
import { biUser, makePassword, sha256 } from "./user.ts"
import { type BiUser, biUsersText, parseBiUsers, renderBiUsers, writeBiUsers } from "./users-file.ts"

class BiUsersError extends Schema.TaggedError<BiUsersError>()("BiUsersError", {
  reason: Schema.Literals(["not_found", "not_honoured"]),
  detail: Schema.String,
  hint: Schema.String,
}) {
  override get message(): string {
    return `${this.detail}. ${this.hint}`
  }
}

/** A server that runs here has its users in a file; any other keeps them itself. */
const runsHere = ({ clickhouseUrl }: Settings): boolean => clickhouseUrl === undefined

const inFile = (settings: Settings): ReadonlyArray<BiUser> => parseBiUsers(biUsersText(settings.dataDir))

export const listBiUsers = (settings: Settings) =>
  runsHere(settings)
    ? Effect.sync(() => inFile(settings).map(({ user, tenant, names }) => ({ user, tenant, names })))
    : listStoreUsers().pipe(Effect.provide(clickhouseOf(settings, "access")))

/** With whether the tenant hides names by now: who was made before sees them until it is made again. */
export const markHiddenNames = Effect.fn("markHiddenNames")(function* <
  User extends { readonly tenant: string },
>(settings: Settings, users: ReadonlyArray<User>) {
  const read = settingsReader()
  return yield* Effect.forEach(users, (user) =>
    Effect.map(read(user.tenant), ({ hide_names }) => ({ ...user, tenant_hides_names: hide_names })),
  ).pipe(Effect.provide(natsOf(settings, "operator")))
})

/** Writes the file; true when the server that runs here has started again with it, false when none runs. */
const keepInFile = Effect.fn("keepInFile")(function* (settings: Settings, users: ReadonlyArray<BiUser>) {
  const { dataDir } = settings
  const url = clickhouseUrlOf(settings)
  const runs = yield* answers(url)
  writeBiUsers(dataDir, users)
  if (runs && !(yield* startsWith(url, dataDir, renderBiUsers(users))))
    return yield* new BiUsersError({
      reason: "not_honoured",
      detail: "The server that runs has not taken the change",
      hint: "Was it started with this TIDEMARK_DATA_DIR? Its log says whether it started again.",
    })
  return runs
})

/** Whether the directory knows the tenant of a BI user, which the user itself is asked; undefined when nobody answers. */
export const knowsTenant = (settings: Settings, user: string, password: string) =>
  Effect.promise(async () => {
    try {
      const response = await fetch(clickhouseUrlOf(settings), {
        method: "POST",
        body: "SELECT count() > 0 FROM bi.tenants",
        headers: { "X-ClickHouse-User": user, "X-ClickHouse-Key": password },
        signal: AbortSignal.timeout(20_000),
      })
      return response.ok ? (await response.text()).trim() === "1" : undefined
    } catch {
      return undefined
    }
  })

/**
 * Makes a BI user, or gives the one of this name a new password. Where the tenant hides names it sees none, whatever
 * was asked for. The password is returned this once; the server knows its hash.
 */
export const createBiUser = Effect.fn("createBiUser")(function* (
  settings: Settings,
  asked: { readonly tenant: string; readonly name?: string; readonly names: boolean },
) {
  const { hide_names } = yield* settingsReader()(asked.tenant).pipe(
    Effect.provide(natsOf(settings, "operator")),
  )
  const user = biUser(asked.tenant, asked.name)
  const names = asked.names && !hide_names
  const password = makePassword()
  const password_sha256 = sha256(password)
  if (!runsHere(settings)) {
    yield* createStoreUser(user, password_sha256, names).pipe(
      Effect.provide(clickhouseOf(settings, "access")),
    )
    return { user, password, names, works: true }
  }
  const created_at = new Date(yield* Clock.currentTimeMillis).toISOString()
  const works = yield* keepInFile(settings, [
    ...inFile(settings).filter((known) => known.user !== user),
    { user, tenant: asked.tenant, names, password_sha256, created_at },
  ])
  return { user, password, names, works }
})

/** Takes back all BI users of a tenant, or the one of a name; their running queries end by their own limits. */
export const revokeBiUsers = Effect.fn("revokeBiUsers")(function* (
  settings: Settings,
  { tenant, name }: { readonly tenant: string; readonly name?: string },
) {
  const users = (yield* listBiUsers(settings))
    .filter((known) => known.tenant === tenant && (name === undefined || known.user === biUser(tenant, name)))
    .map(({ user }) => user)
  if (users.length === 0)
    return yield* new BiUsersError({
      reason: "not_found",
      detail: "There is no such user",
      hint: "`tidemark bi-users list` shows them.",
    })
  if (!runsHere(settings)) {
    yield* dropStoreUsers(users).pipe(Effect.provide(clickhouseOf(settings, "access")))
    return { users, works: true }
  }
  const kept = inFile(settings).filter(({ user }) => !users.includes(user))
  return { users, works: yield* keepInFile(settings, kept) }
})
