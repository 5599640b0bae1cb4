import { Console, Effect, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { Tenant } from "#schemas/envelope.ts"
import { createBiUser, knowsTenant, listBiUsers, markHiddenNames, revokeBiUsers } from "../bi/manage.ts"
import { fitting } from "./fitting.ts"
import { onRecordIfPossible } from "./on-record.ts"
import { settings } from "./settings.ts"

const LATER = "No server runs here; it is so when one starts."

const tenantFlag = Flag.String("tenant").pipe(
  Flag.withDescription("Whose rows the user sees"),
  fitting(Tenant),
)

const nameFlag = Flag.String("name").pipe(
  Flag.withDescription("Tells several users of a tenant apart: bi_<tenant>_<name>"),
  fitting(
    Schema.String.check(
      Schema.isPattern(/^[a-z0-9-]{1,32}$/u, { expected: "1 to 32 lower-case letters, digits or hyphens" }),
    ),
  ),
  Flag.optional,
)

const named = (name: Option.Option<string>) => (Option.isSome(name) ? { name: name.value } : {})

const create = Command.make(
  "create",
  {
    tenant: tenantFlag,
    name: nameFlag,
    withoutNames: Flag.Boolean("without-names").pipe(
      Flag.withDescription("Views without names and e-mail addresses alone"),
      Flag.withDefault(false),
    ),
  },
  ({ tenant, name, withoutNames }) =>
    Effect.gen(function* () {
      const current = yield* settings
      const made = yield* createBiUser(current, { tenant, ...named(name), names: !withoutNames })
      yield* onRecordIfPossible(current, {
        tenant,
        action: "bi_user.created",
        command: "bi-users create",
        subject: made.user,
        filters: { names: made.names },
      })
      yield* Console.error(
        `BI user ${made.user} reads database bi, the rows of ${tenant}, ${made.names ? "with" : "without"} names and e-mail addresses.`,
      )
      if (!made.names && !withoutNames) yield* Console.error("The tenant's settings hide names.")
      if (!made.works) yield* Console.error(LATER)
      else if ((yield* knowsTenant(current, made.user, made.password)) === false)
        yield* Console.error(`The directory knows no tenant ${tenant}. Is it the right one?`)
      yield* Console.error("Its password is shown this once:")
      yield* Console.log(made.password)
    }),
).pipe(
  Command.withDescription(
    "Make a user for BI tools that reads a tenant's rows, or give it a new password; it is printed once, alone on the last line",
  ),
)

const list = Command.make(
  "list",
  { json: Flag.Boolean("json").pipe(Flag.withDescription("One JSON array"), Flag.withDefault(false)) },
  ({ json }) =>
    Effect.gen(function* () {
      const current = yield* settings
      const users = yield* listBiUsers(current)
      const marked = yield* markHiddenNames(current, users).pipe(
        Effect.catchTag("NatsError", () =>
          Effect.as(
            Console.error("Which tenants hide names is not known: NATS does not answer."),
            users.map((user) => ({ ...user, tenant_hides_names: null })),
          ),
        ),
      )
      const lines = marked.map(({ user, tenant, names, tenant_hides_names: hides }) =>
        [
          tenant,
          user,
          names ? `with names${hides === true ? ", which the tenant hides" : ""}` : "without names",
        ].join("\t"),
      )
      yield* Console.log(json ? JSON.stringify(marked) : lines.join("\n") || "There are none.")
    }),
).pipe(
  Command.withDescription(
    "The tenants' BI users: tenant, user, whether it sees names, and whether the tenant hides them",
  ),
)

const revoke = Command.make("revoke", { tenant: tenantFlag, name: nameFlag }, ({ tenant, name }) =>
  Effect.gen(function* () {
    const current = yield* settings
    const { users, works } = yield* revokeBiUsers(current, { tenant, ...named(name) })
    yield* Console.log(`Revoked ${users.join(", ")}.`)
    for (const subject of users)
      yield* onRecordIfPossible(current, {
        tenant,
        action: "bi_user.removed",
        command: "bi-users revoke",
        subject,
      })
    if (!works) yield* Console.error(LATER)
  }),
).pipe(Command.withDescription("Take a tenant's BI users back, all of them or the one of a name"))

export const biUsers = Command.make("bi-users").pipe(
  Command.withDescription("Users of the store for BI tools, each for the rows of one tenant"),
  Command.withSubcommands([create, list, revoke]),
)
