import { createHash } from "node:crypto"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { describe, expect, it } from "vitest"
import { attemptNats, Nats } from "#nats/connection.ts"
import { BUCKETS } from "#schemas/names.ts"
import { ADMIN_KEY, newTenant, testApp } from "../test-app.ts"
import { isSameSecret } from "./credential.ts"
import { createKey, keyFinder } from "./keys.ts"

const { run } = testApp()

const bucket = Effect.gen(function* () {
  const { kv } = yield* Nats
  return yield* attemptNats("open", () => kv.open(BUCKETS.apiKeys))
})
const hashOf = (key: string): string => createHash("sha256").update(key).digest("hex")
/** Where the bucket holds the record of a key. */
const placeOf = (key: string): string => `${key.split("_")[1]}.${hashOf(key)}`

describe("a key", () => {
  it("names its tenant and is found with what it stands for", async () => {
    const tenant = newTenant()
    const key = await run(createKey({ tenant, role: "manager", user: "u_1", name: "Ana's" }))
    expect(key).toMatch(new RegExp(`^tmk_${tenant}_[A-Za-z0-9_-]{43}$`, "u"))
    expect(await run(keyFinder()(key))).toEqual({
      id: `k_${hashOf(key).slice(0, 20)}`,
      record: {
        tenant,
        role: "manager",
        user: "u_1",
        name: "Ana's",
        created_at: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T.*Z$/u),
      },
    })
  })

  it("is stored as a hash alone", async () => {
    const key = await run(createKey({ tenant: newTenant(), role: "producer" }))
    const entry = await run(
      Effect.flatMap(bucket, (keys) => attemptNats("get", () => keys.get(placeOf(key)))),
    )
    expect(entry?.string()).not.toContain(key.slice(-43))
    expect(entry?.string()).not.toContain("undefined")
    expect(entry?.key).toBe(placeOf(key))
  })

  it("is another one each time", async () => {
    const options = { tenant: newTenant(), role: "producer" } as const
    expect(await run(createKey(options))).not.toBe(await run(createKey(options)))
  })

  it("that nobody made is not found, whatever its form", async () => {
    const find = keyFinder()
    const key = await run(createKey({ tenant: newTenant(), role: "producer" }))
    for (const wrong of [
      "",
      "tmk",
      `${key}A`,
      key.slice(0, -1),
      `${key.slice(0, -1)}.`,
      key.toUpperCase(),
      `tmk_other_${key.slice(-43)}`,
      "*",
      ">",
    ])
      expect(await run(find(wrong)), wrong).toBeUndefined()
  })

  it("that was just made is found by whoever asked for it before", async () => {
    const find = keyFinder()
    const key = await run(createKey({ tenant: newTenant(), role: "producer" }))
    const entry = await run(
      Effect.flatMap(bucket, (keys) => attemptNats("get", () => keys.get(placeOf(key)))),
    )
    await run(Effect.flatMap(bucket, (keys) => attemptNats("delete", () => keys.delete(placeOf(key)))))
    expect(await run(find(key))).toBeUndefined()
    await run(
      Effect.flatMap(bucket, (keys) =>
        attemptNats("put", () => keys.put(placeOf(key), entry?.string() ?? "")),
      ),
    )
    expect(await run(find(key))).toBeDefined()
  })

  it("that was deleted is honoured for two seconds at most", async () => {
    const find = keyFinder()
    const key = await run(createKey({ tenant: newTenant(), role: "producer" }))
    const asked = Effect.gen(function* () {
      const known = yield* find(key)
      const keys = yield* bucket
      yield* attemptNats("delete", () => keys.delete(placeOf(key)))
      const remembered = yield* find(key)
      yield* TestClock.adjust("2 seconds")
      const forgotten = yield* find(key)
      return [known?.record.role, remembered?.record.role, forgotten]
    })
    expect(await run(asked.pipe(Effect.provide(TestClock.layer())))).toEqual([
      "producer",
      "producer",
      undefined,
    ])
  })

  it("whose record cannot be read opens nothing", async () => {
    const key = `tmk_acme_${"B".repeat(43)}`
    for (const record of [
      "",
      "{}",
      '{"tenant":"acme","role":"operator","created_at":""}',
      '{"tenant":"../x","role":"producer","created_at":""}',
    ]) {
      await run(Effect.flatMap(bucket, (keys) => attemptNats("put", () => keys.put(placeOf(key), record))))
      expect(await run(keyFinder()(key)), record).toBeUndefined()
    }
  })
})

it("secrets are the same or not, whatever their lengths", () => {
  expect(isSameSecret(ADMIN_KEY, ADMIN_KEY)).toBe(true)
  expect(isSameSecret(ADMIN_KEY, `${ADMIN_KEY} `)).toBe(false)
  expect(isSameSecret("", ADMIN_KEY)).toBe(false)
})
