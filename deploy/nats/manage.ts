import { nkeys } from "@nats-io/transport-node"
import { Clock, Effect, Schema } from "effect"
import { natsUrlOf, type Settings } from "../settings.ts"
import { reloadEmbedded, reloadUntil } from "./reload.ts"
import { readTenantUsers, type TenantUser, usersFolder, writeTenantUsers } from "./tenants.ts"

/** A user could not be taken back; `hint` is the one thing to do. */
class NatsUsersError extends Schema.TaggedError<NatsUsersError>()("NatsUsersError", {
  reason: Schema.Literals(["nobody_named", "not_found"]),
  detail: Schema.String,
  hint: Schema.String,
}) {
  override get message(): string {
    return `${this.detail}. ${this.hint}`
  }
}

/** Only a server that runs here can be told to read its configuration again. */
const runsHere = ({ natsUrl }: Settings): boolean => natsUrl === undefined

/** Makes a user; `works` says whether a server has been seen to honour it. Its seed is returned this once. */
export const createTenantUser = Effect.fn("createTenantUser")(function* (
  settings: Settings,
  { tenant, name }: Pick<TenantUser, "tenant" | "name">,
) {
  const folder = usersFolder(settings.dataDir)
  const pair = nkeys.createUser()
  const user: TenantUser = {
    tenant,
    ...(name === undefined ? {} : { name }),
    public_key: pair.getPublicKey(),
    created_at: new Date(yield* Clock.currentTimeMillis).toISOString(),
  }
  writeTenantUsers(folder, [...readTenantUsers(folder), user])
  const seed = pair.getSeed()
  const works =
    runsHere(settings) &&
    (yield* reloadUntil(settings.dataDir, natsUrlOf(settings), tenant, seed).pipe(
      Effect.as(true),
      Effect.orElseSucceed(() => false),
    ))
  return { user, seed: Buffer.from(seed).toString(), works }
})

export interface Whom {
  readonly tenant?: string | undefined
  /** A public key. */
  readonly key?: string | undefined
}

/** Takes users back; `told` says whether a server was told, which ends their connections. */
export const revokeTenantUsers = Effect.fn("revokeTenantUsers")(function* (
  settings: Settings,
  { tenant, key }: Whom,
) {
  if (tenant === undefined && key === undefined)
    return yield* new NatsUsersError({
      reason: "nobody_named",
      detail: "Nobody is named",
      hint: "Give --key for one user, --tenant for all of a tenant.",
    })
  const folder = usersFolder(settings.dataDir)
  const users = readTenantUsers(folder)
  const kept = users.filter(
    (user) =>
      (tenant !== undefined && user.tenant !== tenant) || (key !== undefined && user.public_key !== key),
  )
  if (kept.length === users.length)
    return yield* new NatsUsersError({
      reason: "not_found",
      detail: "There is no such user",
      hint: "`tidemark nats-users list` shows them.",
    })
  writeTenantUsers(folder, kept)
  const told = runsHere(settings) && reloadEmbedded(settings.dataDir)
  return { revoked: users.filter((user) => !kept.includes(user)), told }
})
