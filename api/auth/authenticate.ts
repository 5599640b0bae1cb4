import { Clock, Effect } from "effect"
import type { Nats, NatsError } from "#nats/connection.ts"
import { DEFAULT_SETTINGS } from "#schemas/tenant-settings.ts"
import { type Refused, refuse } from "../http/failure.ts"
import { challenge, INVALID } from "./challenge.ts"
import { type Credential, isExpired, isSameSecret, type TenantCredential } from "./credential.ts"
import { grantedTo, grantsReader } from "./grants.ts"
import { jwtVerifier, type JwtOptions, looksLikeJwt } from "./jwt.ts"
import { usesNoter } from "./key-uses.ts"
import { keyFinder } from "./keys.ts"
import { type Right, rightsOf, rolesGrantable, rolesWith } from "./rights.ts"
import { EVERYBODY, scopeOf } from "./scope.ts"
import { settingsReader } from "./settings.ts"

const BEARER = /^Bearer +(\S+) *$/iu

const UNKNOWN = challenge("The credential is not known.", INVALID)
const EXPIRED = challenge("The key has expired.", INVALID)

/** Fails when the credential does not have the right. */
export const permit = ({ role, rights }: Credential, right: Right): Effect.Effect<void, Refused> =>
  rights.has(right) ? Effect.void : Effect.fail(forbidden(role, right))

const forbidden = (role: string, right: Right): Refused => {
  const others = rolesGrantable(right)
  const granted = others.length === 0 ? "" : `, or a grant of ${right} to a ${others.join(" or ")}`
  return refuse("forbidden", `A credential with the role ${role} may not do this.`, {
    hint: `It takes one with the role ${rolesWith(right).join(" or ")}${granted}.`,
  })
}

export type Authenticate = (
  header: string | undefined,
) => Effect.Effect<Credential, Refused | NatsError, Nats>

const OPERATOR: Credential = {
  kind: "operator",
  name: undefined,
  role: "operator",
  tenant: undefined,
  id: "operator",
  user: undefined,
  rights: rightsOf("operator", []),
  scope: EVERYBODY,
  settings: DEFAULT_SETTINGS,
}

/** Who asks, from the header `Authorization`, and what they may. Tokens are looked at when there is a verifier. */
export const authenticator = (adminKey: string, jwt?: JwtOptions): Authenticate => {
  const findKey = keyFinder()
  const noteUse = usesNoter()
  const grantsOf = grantsReader()
  const settingsOf = settingsReader()
  const verify = jwt === undefined ? undefined : jwtVerifier(jwt)

  const heldBy = Effect.fnUntraced(function* (
    holder: Pick<TenantCredential, "kind" | "id" | "name" | "tenant" | "role" | "user">,
  ) {
    const { tenant, role, id, user } = holder
    const { grants, settings } = yield* Effect.all(
      { grants: grantsOf(tenant), settings: settingsOf(tenant) },
      { concurrency: "unbounded" },
    )
    const rights = rightsOf(role, grantedTo(grants, role, id))
    return { ...holder, rights, scope: scopeOf(role, user), settings }
  })

  const credentialOf = Effect.fnUntraced(function* (
    secret: string,
  ): Effect.fn.Return<Credential, Refused | NatsError, Nats> {
    if (isSameSecret(secret, adminKey)) return OPERATOR
    if (verify !== undefined && looksLikeJwt(secret)) {
      const bearer = yield* verify(secret)
      // Users of two tenants may have the same id.
      const id = `jwt:${bearer.tenant}:${bearer.user}`
      return yield* heldBy({ ...bearer, kind: "jwt", id, name: undefined })
    }
    const found = yield* findKey(secret)
    if (found === undefined) return yield* UNKNOWN
    const { id, record } = found
    if (isExpired(record, yield* Clock.currentTimeMillis)) return yield* EXPIRED
    const { tenant, role, user, name } = record
    yield* noteUse(tenant, id)
    return yield* heldBy({ kind: "key", id, name, tenant, role, user })
  })

  return Effect.fn("authenticate")(function* (header) {
    if (header === undefined) return yield* challenge("There is no credential.")
    const secret = BEARER.exec(header)?.[1]
    if (secret === undefined) return yield* UNKNOWN
    return yield* credentialOf(secret)
  })
}
