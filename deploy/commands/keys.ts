import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { ROLES } from "../../api/auth/credential.ts"
import { createKey } from "../../api/auth/keys.ts"
import { Tenant } from "#schemas/envelope.ts"
import { natsOf, topologyOf } from "../services.ts"
import { settings } from "./settings.ts"

const create = Command.make(
  "create",
  {
    tenant: Flag.String("tenant").pipe(
      Flag.withDescription("Whose data the key is for"),
      Flag.withSchema(Tenant),
    ),
    role: Flag.Literals("role", ROLES).pipe(Flag.withDescription("What the key may do")),
    user: Flag.String("user").pipe(
      Flag.withDescription("The user of the directory whom it stands for"),
      Flag.optional,
    ),
    name: Flag.String("name").pipe(Flag.withDescription("What people call it"), Flag.optional),
  },
  ({ tenant, role, user, name }) =>
    Effect.gen(function* () {
      const current = yield* settings
      const key = yield* Effect.andThen(
        topologyOf(current, "other"),
        createKey({
          tenant,
          role,
          ...(Option.isSome(user) ? { user: user.value } : {}),
          ...(Option.isSome(name) ? { name: name.value } : {}),
        }),
      ).pipe(Effect.provide(natsOf(current, "keys")))
      yield* Console.error(`A ${role} key of ${tenant}. It is shown this once:`)
      yield* Console.log(key)
    }),
).pipe(Command.withDescription("Make an API key; it is printed once, alone on the last line"))

export const keys = Command.make("keys").pipe(
  Command.withDescription("API keys"),
  Command.withSubcommands([create]),
)
