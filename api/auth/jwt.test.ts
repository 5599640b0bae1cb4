// Tokens as the host platform signs them, with keys from a real server.
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { Effect } from "effect"
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from "jose"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { auditRecords } from "../../test/audit-records.ts"
import { makeApp } from "../app.ts"
import { ADMIN_KEY, expectProblem, type Got, newTenant, testApp } from "../test-app.ts"
import { putActions, putTenant, putUsers } from "../test-rows.ts"
import { setGrant } from "./grants.ts"
import type { JwtOptions } from "./jwt.ts"

const { keyFor, publisher, run, services } = testApp()
const tenant = newTenant()
const ISSUER = "https://platform.example/"
const AUDIENCE = "tidemark"
const ACTIONS = "/v1/actions?from=2026-10-01&to=2026-10-31"
const CLAIMS = { tenant: "tenant", role: "role", user: "sub" }

interface Pair {
  readonly alg: string
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  readonly jwk: JWK
}

const pairOf = async (alg: string, kid = alg): Promise<Pair> => {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { alg, kid, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } }
}

/** What the platform publishes, or an answer that is no key set; and how often it was asked. */
let published: ReadonlyArray<JWK> | string
let fetches = 0
let server: Server
let url: URL
let rsa: Pair

const listen = (port = 0): Promise<Server> =>
  new Promise((resolve) => {
    const started = createServer((_, response) => {
      fetches++
      const body = typeof published === "string" ? published : JSON.stringify({ keys: published })
      response.writeHead(typeof published === "string" ? 500 : 200, { "Content-Type": "application/json" })
      response.end(body)
    }).listen(port, "127.0.0.1", () => resolve(started))
  })

const close = (): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

beforeAll(async () => {
  server = await listen()
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`)
  rsa = await pairOf("RS256")
  await putTenant(tenant, "UTC")
  await putUsers(tenant, { u_1: {}, u_2: {} })
  await putActions(
    tenant,
    "UTC",
    ["u_1", "u_2"].map((actor_id) => ({
      id: actor_id,
      type: "contact.created",
      time: "2026-10-10T10:00:00.000Z",
      actor_id,
    })),
  )
  const grant = { subject: "role:member", rights: ["see_actions"], by: "test" } as const
  await run(setGrant(tenant, grant, () => Effect.void))
})
afterAll(close)

const appWith = (jwt: Partial<JwtOptions> | null = {}) => {
  const options = { publisher: publisher(), adminKey: ADMIN_KEY, maxClockAhead: 0, maxAge: 0 }
  const whole = { issuer: ISSUER, audience: AUDIENCE, keys: url, claims: CLAIMS, cooldown: 0, ...jwt }
  const app = makeApp({ services: services(), ...options, jwt: jwt === null ? undefined : whole })
  return async (token: string, path = ACTIONS): Promise<Got> => {
    const response = await app.request(path, { headers: { Authorization: `Bearer ${token}` } })
    return { status: response.status, headers: response.headers, body: await response.json() }
  }
}

const now = (): number => Math.floor(Date.now() / 1000)

const tokenOf = (
  { alg, kid, privateKey }: Pair,
  claims: Readonly<Record<string, unknown>> = {},
): Promise<string> =>
  new SignJWT({
    iss: ISSUER,
    aud: AUDIENCE,
    exp: now() + 60,
    tenant,
    role: "member",
    sub: "u_1",
    ...claims,
  })
    .setProtectedHeader({ alg, kid })
    .sign(privateKey)

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url")

describe("a token of the host platform", () => {
  it.each(["RS256", "ES256", "EdDSA"])(
    "signed with %s opens what its role is granted, within its scope",
    async (alg) => {
      const pair = await pairOf(alg, "this one")
      published = [rsa.jwk, pair.jwk]
      const { status, body } = await appWith()(await tokenOf(pair))
      expect(status).toBe(200)
      expect(body.data.map(({ id }: { id: string }) => id)).toEqual(["u_1"])
    },
  )

  it("opens everything to a super admin and nothing to a role without a grant", async () => {
    published = [rsa.jwk]
    const call = appWith()
    const all = await call(await tokenOf(rsa, { role: "super_admin" }))
    expect(all.body.data).toHaveLength(2)
    expectProblem(await call(await tokenOf(rsa, { role: "recruiter" })), "forbidden", 403)
    const listed = await call(await tokenOf(rsa, { role: ["staff", "super_admin"] }))
    expect(listed.body.data).toHaveLength(2)
  })

  it("may say who it is in claims of other names", async () => {
    published = [rsa.jwk]
    const claims = { tenant: "https://platform.example/customer", role: "r", user: "uid" }
    const call = appWith({ claims })
    const token = await tokenOf(rsa, { [claims.tenant]: tenant, tenant: "other", r: "member", uid: "u_2" })
    expect((await call(token)).body.data.map(({ id }: { id: string }) => id)).toEqual(["u_2"])
  })

  it("is named in the audit log by its user", async () => {
    published = [rsa.jwk]
    const own = newTenant()
    await appWith()(await tokenOf(rsa, { tenant: own, role: "super_admin", sub: "u_9" }))
    expect(await run(auditRecords(own))).toMatchObject([
      { actor: { kind: "jwt", id: `jwt:${own}:u_9`, user: "u_9", role: "super_admin" }, outcome: "ok" },
    ])
  })

  it("is taken beside keys, and is nothing where the platform is not known", async () => {
    published = [rsa.jwk]
    expect((await appWith()(await keyFor(tenant))).status).toBe(200)
    expectProblem(await appWith(null)(await tokenOf(rsa)), "unauthorized", 401)
  })

  it("may be checked with keys from a file", async () => {
    const call = appWith({ keys: { keys: [rsa.jwk] } })
    expect((await call(await tokenOf(rsa))).status).toBe(200)
    expectProblem(await call(await tokenOf(await pairOf("RS256"))), "unauthorized", 401)
  })
})

describe("a token is refused", () => {
  const wrong: ReadonlyArray<readonly [string, Readonly<Record<string, unknown>>]> = [
    ["of another issuer", { iss: "https://elsewhere.example/" }],
    ["for another audience", { aud: "another" }],
    ["that has expired", { exp: now() - 31 }],
    ["that is not valid yet", { nbf: now() + 60 }],
    ["that never ends", { exp: undefined }],
    ["without a tenant", { tenant: undefined }],
    ["whose tenant is none", { tenant: "ACME/../x" }],
    ["of the operator", { role: "operator" }],
    ["of no role that is known", { role: "boss" }],
    ["of several roles", { role: ["manager", "member"] }],
    ["of nobody", { sub: undefined }],
    ["whose user is an e-mail address", { sub: "ana@acme.example" }],
  ]
  it.each(wrong)("%s", async (_, claims) => {
    published = [rsa.jwk]
    const got = await appWith()(await tokenOf(rsa, claims))
    expectProblem(got, "unauthorized", 401)
    expect(got.headers.get("WWW-Authenticate")).toContain('error="invalid_token"')
  })

  it("unless it has expired within the tolerance for clocks", async () => {
    published = [rsa.jwk]
    expect((await appWith()(await tokenOf(rsa, { exp: now() - 5 }))).status).toBe(200)
  })

  it("that nobody signed, or that took the public key for a shared secret", async () => {
    published = [rsa.jwk]
    const call = appWith()
    const [, payload = ""] = (await tokenOf(rsa)).split(".")
    expectProblem(await call(`${encoded({ alg: "none" })}.${payload}.`), "unauthorized", 401)
    const header = { alg: "HS256", kid: rsa.kid }
    for (const secret of [await exportSPKI(rsa.publicKey), JSON.stringify(rsa.jwk), rsa.jwk.n ?? ""]) {
      const token = await new SignJWT(JSON.parse(Buffer.from(payload, "base64url").toString()))
        .setProtectedHeader(header)
        .sign(Buffer.from(secret))
      expectProblem(await call(token), "unauthorized", 401)
    }
  })

  it("that was signed with an algorithm that is not named, or with another key", async () => {
    const [other, strong] = [await pairOf("RS256"), await pairOf("RS512")]
    published = [rsa.jwk, strong.jwk]
    expectProblem(await appWith()(await tokenOf(strong)), "unauthorized", 401)
    expectProblem(await appWith()(await tokenOf(other)), "unauthorized", 401)
  })

  it("whose content was changed", async () => {
    published = [rsa.jwk]
    const [header, payload = "", signature] = (await tokenOf(rsa)).split(".")
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as object
    const changed = `${header}.${encoded({ ...claims, role: "super_admin" })}.${signature}`
    expectProblem(await appWith()(changed), "unauthorized", 401)
  })
})

describe("the platform's keys", () => {
  it("may change: a new one is found by its id, and one that is gone opens nothing any more", async () => {
    const [old, next] = [await pairOf("ES256", "2026-1"), await pairOf("ES256", "2026-2")]
    published = [old.jwk]
    const call = appWith()
    expect((await call(await tokenOf(old))).status).toBe(200)
    expectProblem(await call(await tokenOf(next)), "unauthorized", 401)
    published = [next.jwk]
    expect((await call(await tokenOf(next))).status).toBe(200)
    expectProblem(await call(await tokenOf(old)), "unauthorized", 401)
  })

  it("are fetched once, and not again for every id that somebody makes up", async () => {
    published = [rsa.jwk]
    const call = appWith({ cooldown: 60_000 })
    fetches = 0
    for (let index = 0; index < 5; index++) {
      expect((await call(await tokenOf(rsa))).status).toBe(200)
      expectProblem(await call(await tokenOf(await pairOf("ES256", `k${index}`))), "unauthorized", 401)
    }
    expect(fetches).toBe(1)
  })

  it("that cannot be read make no token wrong: 503 until they are there again", async () => {
    const call = appWith()
    const token = await tokenOf(rsa)
    for (const nonsense of ["", "<html>", "[]"]) {
      published = nonsense
      const got = await call(token)
      expectProblem(got, "unavailable", 503)
      expect(got.headers.get("Retry-After")).toBe("5")
    }
    const { port } = server.address() as AddressInfo
    await close()
    expectProblem(await call(token), "unavailable", 503)
    published = [rsa.jwk]
    server = await listen(port)
    expect((await call(token)).status).toBe(200)
    await close()
    expect((await call(token)).status, "remembered").toBe(200)
    server = await listen(port)
  })
})
