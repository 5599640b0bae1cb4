import { Effect, Schema } from "effect"
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  jwtVerify,
} from "jose"
import { PersonId, Tenant } from "#schemas/envelope.ts"
import { ROLES } from "#schemas/rights.ts"
import { type Refused, refuse } from "../http/failure.ts"
import { challenge, INVALID } from "./challenge.ts"
import type { Role } from "./credential.ts"

export interface JwtOptions {
  readonly issuer: string
  readonly audience: string
  /** Where the platform publishes its keys, or the keys themselves. */
  readonly keys: URL | JSONWebKeySet
  /** Names of the claims that say who it is. */
  readonly claims: { readonly tenant: string; readonly role: string; readonly user: string }
  /** Milliseconds after which keys that are asked for by an unknown id may be fetched again. */
  readonly cooldown?: number
}

/** Whom a token stands for. */
export interface Bearer {
  readonly tenant: string
  readonly role: Role
  readonly user: string
}

const SHAPE = /^[\w-]+\.[\w-]+\.[\w-]*$/u
export const looksLikeJwt = (secret: string): boolean => SHAPE.test(secret)

/** Named, so that a token cannot choose: neither `none` nor a public key taken for a shared secret. */
const ALGORITHMS = ["RS256", "ES256", "EdDSA"]
/** Seconds that the platform's clock may differ. */
const TOLERANCE = 30
const TIMEOUT = 5000
const COOLDOWN = 5000
const MAX_AGE = 600_000

const EXPIRED = challenge("The token has expired.", INVALID)
const NOT_VALID = challenge("The token is not valid.", INVALID)
const AWAY = refuse(
  "unavailable",
  "The keys of the host platform, which tokens are checked with, cannot be read at the moment.",
  {},
  { "Retry-After": "5" },
)

/** Errors that say something about the token. Any other is about the keys: the token may be right. */
const ABOUT_TOKEN = [
  errors.JOSEAlgNotAllowed,
  errors.JOSENotSupported,
  errors.JWKSNoMatchingKey,
  errors.JWKSMultipleMatchingKeys,
  errors.JWSInvalid,
  errors.JWSSignatureVerificationFailed,
  errors.JWTClaimValidationFailed,
  errors.JWTInvalid,
]

const refusalOf = (cause: unknown): Refused => {
  if (cause instanceof errors.JWTExpired) return EXPIRED
  return ABOUT_TOKEN.some((kind) => cause instanceof kind) ? NOT_VALID : AWAY
}

const isTenant = Schema.is(Tenant)
const isUser = Schema.is(PersonId)

const wrongClaim = (name: string, expected: string): Refused =>
  challenge(`The token's claim ${name} is not ${expected}.`, INVALID)

const bearerOf = (payload: JWTPayload, claims: JwtOptions["claims"]): Effect.Effect<Bearer, Refused> => {
  const { [claims.tenant]: tenant, [claims.role]: given, [claims.user]: user } = payload
  if (!isTenant(tenant)) return Effect.fail(wrongClaim(claims.tenant, "the id of a tenant"))
  const roles = ROLES.filter((role) => (Array.isArray(given) ? given.includes(role) : given === role))
  const [role] = roles
  if (role === undefined || roles.length > 1)
    return Effect.fail(wrongClaim(claims.role, `one of ${ROLES.join(", ")}`))
  if (!isUser(user))
    return Effect.fail(
      wrongClaim(claims.user, "the id of a user of the directory, which is no e-mail address"),
    )
  return Effect.succeed({ tenant, role, user })
}

/** Checks tokens of the host platform by its published keys, which are kept for a while. */
export const jwtVerifier = ({ issuer, audience, keys, claims, cooldown = COOLDOWN }: JwtOptions) => {
  const find =
    keys instanceof URL
      ? createRemoteJWKSet(keys, {
          timeoutDuration: TIMEOUT,
          cooldownDuration: cooldown,
          cacheMaxAge: MAX_AGE,
        })
      : createLocalJWKSet(keys)
  const options = {
    issuer,
    audience,
    algorithms: ALGORITHMS,
    clockTolerance: TOLERANCE,
    // A token that never ends could never be taken back.
    requiredClaims: ["exp"],
  }
  return Effect.fn("verifyJwt")(function* (token: string): Effect.fn.Return<Bearer, Refused> {
    const { payload } = yield* Effect.tryPromise({
      try: () => jwtVerify(token, find, options),
      catch: refusalOf,
    })
    return yield* bearerOf(payload, claims)
  })
}
