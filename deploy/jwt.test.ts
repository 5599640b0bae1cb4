import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { temporaryFolder } from "../test/temporary-folder.ts"
import { jwtOf } from "./jwt.ts"
import { readSettings } from "./settings.ts"

const BOTH = { JWT_ISSUER: "https://platform.example/", JWT_AUDIENCE: "tidemark" }
const URL_OF_KEYS = { JWT_JWKS_URL: "https://platform.example/jwks" }

it.effect("nothing set: no tokens", () =>
  Effect.gen(function* () {
    expect(yield* jwtOf(readSettings({}))).toBeUndefined()
  }),
)

it.effect("keys come from an address or from a file", () =>
  Effect.gen(function* () {
    expect(yield* jwtOf(readSettings({ ...BOTH, ...URL_OF_KEYS, JWT_USER_CLAIM: "uid" }))).toEqual({
      issuer: "https://platform.example/",
      audience: "tidemark",
      keys: new URL("https://platform.example/jwks"),
      claims: { tenant: "tenant", role: "role", user: "uid" },
    })
    const file = join(yield* temporaryFolder, "jwks.json")
    const keys = [{ kty: "OKP", crv: "Ed25519", x: "x", kid: "1" }]
    writeFileSync(file, JSON.stringify({ keys }))
    expect(yield* jwtOf(readSettings({ ...BOTH, JWT_JWKS_FILE: file }))).toMatchObject({ keys: { keys } })
  }),
)

it.effect("half of it, both sources, or a file without keys is refused", () =>
  Effect.gen(function* () {
    const file = join(yield* temporaryFolder, "jwks.json")
    writeFileSync(file, "{}")
    const wrong: ReadonlyArray<readonly [NodeJS.ProcessEnv, string]> = [
      [{ JWT_ISSUER: "x" }, "go together"],
      [URL_OF_KEYS, "go together"],
      [BOTH, "go together"],
      [{ ...BOTH, ...URL_OF_KEYS, JWT_JWKS_FILE: file }, "exclude each other"],
      [{ ...BOTH, JWT_JWKS_FILE: file }, "no JSON Web Key Set"],
      [{ ...BOTH, JWT_JWKS_FILE: `${file}.gone` }, "ENOENT"],
    ]
    for (const [env, said] of wrong) {
      const error = yield* Effect.flip(jwtOf(readSettings(env)))
      expect(error.message).toContain(said)
    }
  }),
)
