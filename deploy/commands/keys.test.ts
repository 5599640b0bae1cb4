import { execFile } from "node:child_process"
import { join } from "node:path"
import { Effect } from "effect"
import { describe, expect, inject, it } from "vitest"
import { attemptNats, Nats } from "#nats/connection.ts"
import { BUCKETS } from "#schemas/names.ts"
import { auditRecords } from "../../test/audit-records.ts"
import { adoptKeys } from "../../api/auth/adopt-keys.ts"
import { readGrants, setGrant } from "../../api/auth/grants.ts"
import { listKeys } from "../../api/auth/key-list.ts"
import { createKey, keyFinder } from "../../api/auth/keys.ts"
import { newTenant, testApp } from "../../api/test-app.ts"
import { putUsers } from "../../api/test-rows.ts"

const { run } = testApp()
const CLI = join(import.meta.dirname, "..", "cli.ts")

const tidemark = (...args: ReadonlyArray<string>) =>
  new Promise<{ readonly code: number; readonly out: string; readonly err: string }>((resolve) => {
    const env = {
      ...process.env,
      NATS_URL: inject("natsUrl"),
      CLICKHOUSE_URL: inject("clickhouseUrl"),
    }
    execFile(process.execPath, [CLI, ...args], { env, encoding: "utf8" }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out: out.trim(), err }),
    )
  })

// A command takes two seconds of a free processor to begin.
describe("tidemark keys", { timeout: 120_000 }, () => {
  it("makes, lists and revokes, and each change is on record", async () => {
    const tenant = newTenant()
    const whose = ["--tenant", tenant, "--role", "member", "--user", "u_1"]
    const made = await tidemark("keys", "create", ...whose, "--name", "Ana's", "--expires", "90d")
    expect(made.code, made.err).toBe(0)
    const found = await run(keyFinder()(made.out))
    expect(found?.record).toMatchObject({ role: "member", user: "u_1", created_by: "command_line" })
    const days = (Date.parse(found?.record.expires_at ?? "") - Date.now()) / 86_400_000
    expect(Math.round(days)).toBe(90)
    const id = found?.id ?? ""

    const listed = await tidemark("keys", "list", "--tenant", tenant, "--json")
    expect(listed.out.split("\n").map((line) => JSON.parse(line))).toMatchObject([{ id, name: "Ana's" }])
    expect(listed.out).not.toContain(made.out.slice(-43))

    expect((await tidemark("keys", "revoke", "--tenant", tenant, "--id", id)).code).toBe(0)
    expect(await run(keyFinder()(made.out))).toBeUndefined()
    expect((await tidemark("keys", "list", "--tenant", tenant)).out).toContain(
      `${id}  revoked  member  u_1  Ana's`,
    )

    const records = await run(auditRecords(tenant))
    expect(records.map(({ actor, action, route, subject }) => [actor.kind, action, route, subject])).toEqual([
      ["command_line", "key.created", "tidemark keys create", `key:${id}`],
      ["command_line", "key.revoked", "tidemark keys revoke", `key:${id}`],
    ])
    expect(records[0]?.filters).toMatchObject({ role: "member", user: "u_1", name: "Ana's" })
  })

  it("takes back what was granted to a key that it revokes", async () => {
    const tenant = newTenant()
    await run(createKey({ tenant, role: "recruiter" }))
    const [key] = await run(listKeys(tenant))
    const grant = { subject: `key:${key?.id}`, rights: ["see_insights"], by: "test" } as const
    await run(setGrant(tenant, grant, () => Effect.void))
    const { code, err } = await tidemark("keys", "revoke", "--tenant", tenant, "--id", key?.id ?? "")
    expect(code, err).toBe(0)
    expect((await run(readGrants(tenant))).grants).toEqual({})
  })

  it("warns of a user whom the directory does not know", async () => {
    const tenant = newTenant()
    await putUsers(tenant, { u_1: {} })
    const whose = ["keys", "create", "--tenant", tenant, "--role", "manager", "--user"]
    const warning = "The directory knows no member"
    expect((await tidemark(...whose, "u_1")).err).not.toContain(warning)
    expect(await tidemark(...whose, "u_999")).toMatchObject({
      code: 0,
      err: expect.stringContaining(`${warning} u_999 of ${tenant}`),
    })
  })

  it("says what does not make sense, and makes no key", async () => {
    const tenant = newTenant()
    const wrong = [
      ["--user", "create", "--role", "manager"],
      ["--expires", "create", "--role", "producer", "--expires", "2020-01-01T00:00:00Z"],
      ["no key", "revoke", "--id", "k_none"],
    ]
    for (const [said = "", verb = "", ...rest] of wrong) {
      const { code, err } = await tidemark("keys", verb, "--tenant", tenant, ...rest)
      expect([code, err]).toEqual([1, expect.stringContaining(said)])
    }
    expect(await run(listKeys(tenant))).toEqual([])
  })

  it("says in words, and last, what is wrong with a flag; of flags for everything it has but few", async () => {
    const { code, out, err } = await tidemark("keys", "create", "--tenant", "ACME", "--role", "producer")
    expect(code).toBe(1)
    expect(`${out}\n${err}`.trim().split("\n").at(-1)?.trim()).toBe(
      'Invalid value for flag --tenant: "ACME". Expected: 1 to 63 lower-case letters, digits or hyphens',
    )
    expect(out).not.toMatch(/--wizard|--log-level/u)
  })
})

it("a key that version 0.1.0 stored under its hash alone is moved to its tenant's", async () => {
  const tenant = newTenant()
  const key = await run(createKey({ tenant, role: "producer" }))
  await run(
    Effect.flatMap(Nats, ({ kv }) =>
      attemptNats("put it back", async () => {
        const keys = await kv.open(BUCKETS.apiKeys)
        for await (const place of await keys.keys(`${tenant}.*`)) {
          await keys.put(place.slice(tenant.length + 1), (await keys.get(place))?.string() ?? "")
          await keys.delete(place)
        }
      }),
    ),
  )
  expect(await run(keyFinder()(key))).toBeUndefined()
  expect(await run(adoptKeys())).toBeGreaterThan(0)
  expect(await run(keyFinder()(key))).toMatchObject({ record: { tenant, role: "producer" } })
  expect(await run(adoptKeys())).toBe(0)
})
