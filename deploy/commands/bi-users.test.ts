import { execFile } from "node:child_process"
import { join } from "node:path"
import { Effect } from "effect"
import { afterAll, expect, inject, it } from "vitest"
import { attemptNats, Nats } from "#nats/connection.ts"
import { BUCKETS } from "#schemas/names.ts"
import { testApp } from "../../api/test-app.ts"
import { BI_TENANTS } from "../../test/bi-users.ts"

const { run } = testApp()
const CLI = join(import.meta.dirname, "..", "cli.ts")
const tenant = BI_TENANTS.theirs

const list = (...args: ReadonlyArray<string>): Promise<string> =>
  new Promise((resolve, reject) => {
    const env = {
      ...process.env,
      NATS_URL: inject("natsUrl"),
      CLICKHOUSE_URL: inject("clickhouseUrl"),
      CLICKHOUSE_USER: "tidemark_access",
    }
    execFile(process.execPath, [CLI, "bi-users", "list", ...args], { env, encoding: "utf8" }, (error, out) =>
      error === null ? resolve(out) : reject(error),
    )
  })

const settings = (change: "put" | "purge") =>
  run(
    Effect.flatMap(Nats, ({ kv }) =>
      attemptNats("change what the tenant has switched", async () => {
        const bucket = await kv.open(BUCKETS.tenantSettings)
        if (change === "put") await bucket.put(tenant, '{"hide_names":true}')
        else await bucket.purge(tenant)
      }),
    ),
  )
afterAll(() => settings("purge"))

it("the list marks users that see names which their tenant hides", { timeout: 120_000 }, async () => {
  await settings("put")
  const lines = (await list()).split("\n")
  expect(lines).toEqual(
    expect.arrayContaining([
      `${tenant}\tbi_${tenant}\twith names, which the tenant hides`,
      `${tenant}\tbi_${tenant}_anonymous\twithout names`,
      `${BI_TENANTS.ours}\tbi_${BI_TENANTS.ours}\twith names`,
    ]),
  )
  expect(JSON.parse(await list("--json"))).toContainEqual({
    user: `bi_${tenant}`,
    tenant,
    names: true,
    tenant_hides_names: true,
  })
})
