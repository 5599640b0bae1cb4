// Credentials of every role of one tenant, each granted all that can be, for a user where the role is somebody's.
import { Effect } from "effect"
import { exportJWK, generateKeyPair, SignJWT } from "jose"
import { ROLES } from "#schemas/rights.ts"
import { makeApp } from "../api/app.ts"
import { setGrant } from "../api/auth/grants.ts"
import { createKey } from "../api/auth/keys.ts"
import { grantableTo } from "../api/auth/rights.ts"
import { ADMIN_KEY, type testApp } from "../api/test-app.ts"
import type { World } from "./api-world.ts"

const ISSUER = "https://platform.example/"
const AUDIENCE = "tidemark"
const DAY = 86_400_000

/** The credentials, by their names, and an app that takes the platform's tokens for some of them. */
export const keysOf = async ({ tenant, key, ids }: World, testing: ReturnType<typeof testApp>) => {
  const { privateKey, publicKey } = await generateKeyPair("EdDSA")
  const jwk = { ...(await exportJWK(publicKey)), kid: "platform", alg: "EdDSA", use: "sig" }
  const app = makeApp({
    services: testing.services(),
    publisher: testing.publisher(),
    adminKey: ADMIN_KEY,
    maxClockAhead: 300_000,
    maxAge: 775 * DAY,
    jwt: {
      issuer: ISSUER,
      audience: AUDIENCE,
      keys: { keys: [jwk] },
      claims: { tenant: "tenant", role: "role", user: "sub" },
    },
  })
  const [user = ""] = ids.user_id
  for (const role of ROLES) {
    const grant = { subject: `role:${role}`, rights: grantableTo(role), by: "test" }
    if (grant.rights.length > 0) await testing.run(setGrant(tenant, grant, () => Effect.void))
  }
  const keyOf = (role: (typeof ROLES)[number]) => testing.run(createKey({ tenant, role, user }))
  const tokenOf = (role: (typeof ROLES)[number]) =>
    new SignJWT({ iss: ISSUER, aud: AUDIENCE, tenant, role, sub: user })
      .setProtectedHeader({ alg: jwk.alg, kid: jwk.kid })
      .setExpirationTime("1 hour")
      .sign(privateKey)
  return {
    app,
    keys: [
      ["super_admin", key],
      ["manager", await keyOf("manager")],
      ["member", await keyOf("member")],
      ["recruiter", await keyOf("recruiter")],
      ["producer", await keyOf("producer")],
      ["super_admin's token", await tokenOf("super_admin")],
      ["manager's token", await tokenOf("manager")],
    ] as ReadonlyArray<readonly [name: string, key: string]>,
  }
}
