import { readFileSync } from "node:fs"
import { Effect, Schema } from "effect"
import type { JwtOptions } from "../api/auth/jwt.ts"
import { type Settings, SettingsError } from "./settings.ts"

const KeySet = Schema.fromJsonString(
  Schema.Struct({
    keys: Schema.Array(
      Schema.StructWithRest(Schema.Struct({ kty: Schema.String }), [
        Schema.Record(Schema.String, Schema.Unknown),
      ]),
    ),
  }),
)

const wrong = (problem: string) => new SettingsError({ problems: [problem] })

const keysIn = (file: string) =>
  Effect.try({
    try: () => readFileSync(file, "utf8"),
    catch: (error) => wrong(`JWT_JWKS_FILE cannot be read (${(error as NodeJS.ErrnoException).code})`),
  }).pipe(
    Effect.flatMap((text) =>
      Schema.decodeUnknownEffect(KeySet)(text).pipe(
        Effect.mapError(() => wrong(`JWT_JWKS_FILE ${file} is no JSON Web Key Set`)),
      ),
    ),
    Effect.map(({ keys }) => ({ keys: keys.map((key) => ({ ...key })) })),
  )

/** How the host platform's tokens are checked; undefined when nothing is set. All of it must be set, or nothing. */
export const jwtOf = Effect.fn("jwtOf")(function* ({
  jwt: { issuer, audience, jwksUrl, jwksFile, claims },
}: Settings): Effect.fn.Return<JwtOptions | undefined, SettingsError> {
  const source = jwksUrl ?? jwksFile
  if (issuer === undefined && audience === undefined && source === undefined) return undefined
  if (issuer === undefined || audience === undefined || source === undefined)
    return yield* wrong(
      "JWT_ISSUER, JWT_AUDIENCE and JWT_JWKS_URL or JWT_JWKS_FILE go together; set all or none",
    )
  if (jwksUrl !== undefined && jwksFile !== undefined)
    return yield* wrong("JWT_JWKS_URL and JWT_JWKS_FILE exclude each other; set one")
  const keys = jwksUrl === undefined ? yield* keysIn(source) : new URL(jwksUrl)
  return { issuer, audience, keys, claims }
})
