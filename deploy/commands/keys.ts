import { Console, Effect, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { COMMAND_LINE } from "#schemas/audit.ts"
import { NEEDS_USER } from "#schemas/api-keys.ts"
import { PersonId, Tenant, text } from "#schemas/envelope.ts"
import { ROLES } from "#schemas/rights.ts"
import { instantOf } from "#schemas/time.ts"
import { isExpired } from "../../api/auth/credential.ts"
import { adoptKeys } from "../../api/auth/adopt-keys.ts"
import { forgetKey } from "../../api/auth/grants.ts"
import { listKeys, revokeKey } from "../../api/auth/key-list.ts"
import { lastUse } from "../../api/auth/key-uses.ts"
import { issueKey } from "../../api/auth/keys.ts"
import { isMember } from "../../api/queries/member.ts"
import { clickhouseOf, natsOf, topologyOf } from "../services.ts"
import { parseDuration } from "../settings.ts"
import { fitting } from "./fitting.ts"
import { onRecord } from "./on-record.ts"
import { settings } from "./settings.ts"

/** What was asked for cannot be done. */
class KeysError extends Schema.TaggedError<KeysError>()("KeysError", { detail: Schema.String }) {
  override get message(): string {
    return `keys: ${this.detail}`
  }
}

/** With the broker's buckets there, and keys where they are looked for. */
const atBroker = Effect.fnUntraced(function* <A, E, R>(work: Effect.Effect<A, E, R>) {
  const current = yield* settings
  return yield* topologyOf(current, "other").pipe(
    Effect.andThen(adoptKeys()),
    Effect.andThen(work),
    Effect.provide(natsOf(current, "keys")),
  )
})

const tenantFlag = Flag.String("tenant").pipe(
  Flag.withDescription("Whose data the key is for"),
  fitting(Tenant),
)

/** A time that lies ahead: RFC 3339, or so long from now. */
const expiryOf = (given: string): Effect.Effect<string, KeysError> => {
  const duration = parseDuration(given)
  const instant = duration === undefined ? instantOf(given) : Date.now() + duration
  return instant > Date.now()
    ? Effect.succeed(new Date(instant).toISOString())
    : Effect.fail(
        new KeysError({
          detail: `--expires is ${given}; expected 90d, 12h or a time ahead such as 2027-01-01T00:00:00Z`,
        }),
      )
}

/** Says when a key would see nothing, for whatever was typed wrong. The directory may still be told of the user. */
const warnOfStranger = Effect.fnUntraced(function* (tenant: string, user: string) {
  const known = yield* isMember(tenant, user).pipe(
    Effect.provide(clickhouseOf(yield* settings, "api")),
    Effect.catchTag("ClickHouseError", () => Effect.undefined),
  )
  if (known === true) return
  yield* Console.error(
    known === undefined
      ? `Whether ${tenant} has a member ${user} is not known: ClickHouse does not answer.`
      : `The directory knows no member ${user} of ${tenant}; until it does, the key sees nothing.`,
  )
})

const create = Command.make(
  "create",
  {
    tenant: tenantFlag,
    role: Flag.Literals("role", ROLES).pipe(Flag.withDescription("What the key may do")),
    user: Flag.String("user").pipe(
      Flag.withDescription(
        "The user of the directory whom it stands for; a manager's and a member's key needs one",
      ),
      fitting(PersonId),
      Flag.optional,
    ),
    name: Flag.String("name").pipe(
      Flag.withDescription("What people call it"),
      fitting(text(1, 100)),
      Flag.optional,
    ),
    expires: Flag.String("expires").pipe(
      Flag.withDescription("How long it works (90d, 12h), or until when (RFC 3339); always when absent"),
      Flag.optional,
    ),
  },
  ({ tenant, role, user, name, expires }) =>
    Effect.gen(function* () {
      if (NEEDS_USER.has(role) && Option.isNone(user))
        return yield* new KeysError({ detail: `a ${role}'s key needs --user, the user whom it stands for` })
      const asked = {
        role,
        ...(Option.isSome(user) ? { user: user.value } : {}),
        ...(Option.isSome(name) ? { name: name.value } : {}),
        ...(Option.isSome(expires) ? { expires_at: yield* expiryOf(expires.value) } : {}),
      }
      const { secret } = yield* issueKey({ tenant, created_by: COMMAND_LINE, ...asked }).pipe(
        Effect.tap(({ id }) =>
          onRecord({
            tenant,
            action: "key.created",
            command: "keys create",
            subject: `key:${id}`,
            filters: asked,
          }),
        ),
        atBroker,
      )
      if (NEEDS_USER.has(role) && Option.isSome(user)) yield* warnOfStranger(tenant, user.value)
      yield* Console.error(`A ${role} key of ${tenant}. It is shown this once:`)
      yield* Console.log(secret)
    }),
).pipe(Command.withDescription("Make an API key; it is printed once, alone on the last line"))

const list = Command.make(
  "list",
  {
    tenant: tenantFlag,
    json: Flag.Boolean("json").pipe(Flag.withDescription("One JSON object a line"), Flag.withDefault(false)),
  },
  ({ tenant, json }) =>
    Effect.gen(function* () {
      const found = yield* listKeys(tenant).pipe(
        Effect.flatMap(
          Effect.forEach(({ id, record }) =>
            Effect.map(lastUse(tenant, id), (last_used_at) => ({ id, ...record, last_used_at })),
          ),
        ),
        atBroker,
      )
      if (json) {
        for (const key of found) yield* Console.log(JSON.stringify(key))
        return
      }
      const lines = found.map(({ id, last_used_at, ...key }) => {
        const state =
          key.revoked_at !== undefined ? "revoked" : isExpired(key, Date.now()) ? "expired" : "active"
        const until = key.expires_at === undefined ? "" : `, until ${key.expires_at}`
        return [
          id,
          state,
          key.role,
          key.user ?? "-",
          key.name ?? "-",
          `used ${last_used_at ?? "never"}${until}`,
        ].join("  ")
      })
      yield* Console.log(lines.length === 0 ? `${tenant} has no keys.` : lines.join("\n"))
    }),
).pipe(Command.withDescription("A tenant's keys: id, state, role, user, name, last use"))

const revoke = Command.make(
  "revoke",
  {
    tenant: tenantFlag,
    id: Flag.String("id").pipe(Flag.withDescription("The key's id, as `keys list` has it")),
  },
  ({ tenant, id }) =>
    Effect.gen(function* () {
      const revoked = yield* revokeKey(tenant, id, COMMAND_LINE).pipe(
        Effect.tap((known) =>
          known
            ? Effect.andThen(
                forgetKey(tenant, id, COMMAND_LINE),
                onRecord({ tenant, action: "key.revoked", command: "keys revoke", subject: `key:${id}` }),
              )
            : Effect.void,
        ),
        atBroker,
      )
      if (!revoked) return yield* new KeysError({ detail: `${tenant} has no key ${id}` })
      yield* Console.log(`${id} is revoked; it opens nothing any more within two seconds.`)
    }),
).pipe(Command.withDescription("Take a key out of force, for ever"))

export const keys = Command.make("keys").pipe(
  Command.withDescription("API keys"),
  Command.withSubcommands([create, list, revoke]),
)
