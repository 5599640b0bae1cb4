import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { Tenant } from "#schemas/envelope.ts"
import { createTenantUser, revokeTenantUsers } from "../nats/manage.ts"
import { writeServices } from "../nats/services-file.ts"
import { ensureTenantUsers, readTenantUsers, type TenantUser, usersFolder } from "../nats/tenants.ts"
import { fitting } from "./fitting.ts"
import { onRecordIfPossible } from "./on-record.ts"
import { settings } from "./settings.ts"

const RELOAD =
  "The server honours it when it has read its configuration again, for a tenant's first user twice: `docker compose kill -s HUP nats`, or `kill -HUP` its process."

const tenantFlag = Flag.String("tenant").pipe(
  Flag.withDescription("Whose events the user may send"),
  fitting(Tenant),
)

const create = Command.make(
  "create",
  {
    tenant: tenantFlag,
    name: Flag.String("name").pipe(Flag.withDescription("What people call it"), Flag.optional),
  },
  ({ tenant, name }) =>
    Effect.gen(function* () {
      const current = yield* settings
      const { user, seed, works } = yield* createTenantUser(current, {
        tenant,
        ...(Option.isSome(name) ? { name: name.value } : {}),
      })
      yield* onRecordIfPossible(current, {
        tenant,
        action: "nats_user.created",
        command: "nats-users create",
        subject: user.public_key,
      })
      yield* Console.error(`A user of ${tenant} at NATS, ${user.public_key}.`)
      if (!works) yield* Console.error(RELOAD)
      yield* Console.error("Its seed is shown this once:")
      yield* Console.log(seed)
    }),
).pipe(
  Command.withDescription(
    "Make a user that may send the events of a tenant; its seed is printed once, alone on the last line",
  ),
)

const describe = ({ tenant, name, public_key, created_at }: TenantUser): string =>
  [tenant, public_key, created_at, name ?? ""].join("\t").trimEnd()

const list = Command.make(
  "list",
  { json: Flag.Boolean("json").pipe(Flag.withDescription("One JSON array"), Flag.withDefault(false)) },
  ({ json }) =>
    Effect.gen(function* () {
      const { dataDir } = yield* settings
      const users = readTenantUsers(usersFolder(dataDir))
      yield* Console.log(json ? JSON.stringify(users) : users.map(describe).join("\n") || "There are none.")
    }),
).pipe(Command.withDescription("The tenants' users: tenant, public key, when it was made, name"))

const revoke = Command.make(
  "revoke",
  {
    tenant: tenantFlag.pipe(Flag.optional),
    key: Flag.String("key").pipe(Flag.withDescription("The public key of one user"), Flag.optional),
  },
  ({ tenant, key }) =>
    Effect.gen(function* () {
      const current = yield* settings
      const { revoked, told } = yield* revokeTenantUsers(current, {
        tenant: Option.getOrUndefined(tenant),
        key: Option.getOrUndefined(key),
      })
      yield* Console.log(`Revoked ${revoked.length}.`)
      for (const user of revoked)
        yield* onRecordIfPossible(current, {
          tenant: user.tenant,
          action: "nats_user.removed",
          command: "nats-users revoke",
          subject: user.public_key,
        })
      if (!told) yield* Console.error(RELOAD)
    }),
).pipe(Command.withDescription("Take users back; their connections end"))

const init = Command.make("init", {}, () =>
  Effect.gen(function* () {
    const { dataDir, partitions } = yield* settings
    ensureTenantUsers(usersFolder(dataDir))
    writeServices(usersFolder(dataDir), partitions)
  }),
).pipe(Command.withDescription("Make the files that nats.conf includes, for TIDEMARK_PARTITIONS"))

export const natsUsers = Command.make("nats-users").pipe(
  Command.withDescription("Users at NATS, each for the events of one tenant"),
  Command.withSubcommands([create, list, revoke, init]),
)
