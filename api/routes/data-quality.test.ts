import { randomBytes } from "node:crypto"
import { Effect } from "effect"
import { expect, it } from "vitest"
import { ClickHouse } from "#clickhouse"
import { TABLES } from "#schemas/names.ts"
import type { DataQuality } from "#schemas/report-data-quality.ts"
import { ADMIN_KEY, newTenant, storeAs, testApp } from "../test-app.ts"

const { call, keyFor } = testApp()

/** As an audit that ended so many seconds ago. */
const audited = (stream: string, differences: number, ago: number) =>
  Effect.runPromise(
    Effect.flatMap(ClickHouse, (store) =>
      store.command(
        `INSERT INTO ${TABLES.auditStandings} (at, stream, generation, proved_through, differences, gone)
         SELECT now64(3) - {ago:UInt32} AS at, {stream:String} AS stream, 1 AS generation, 41 AS proved_through,
           {differences:UInt64} AS differences, 7 AS gone`,
        { params: { stream, differences, ago } },
      ),
    ).pipe(Effect.provide(storeAs("tidemark_writer"))),
  )

const ask = async (key: string) => {
  const { status, body } = await call("/v1/data-quality", key)
  expect(status).toBe(200)
  return (body as DataQuality).data
}

it("says the last word of each audit, and figures to the operator alone", async () => {
  const stream = `T${randomBytes(4).toString("hex")}`
  const key = await keyFor(newTenant(), "super_admin")
  await audited(stream, 3, 60)
  const of = ({ streams }: DataQuality["data"]) => streams.find((row) => row.stream === stream)
  const wrong = await ask(ADMIN_KEY)
  expect(wrong.is_exact).toBe(false)
  expect(of(wrong)).toMatchObject({
    is_exact: false,
    differences: 3,
    proved_through: 41,
    gone: 7,
    generation: 1,
  })
  expect((await ask(key)).is_exact).toBe(false)
  await audited(stream, 0, 0)
  expect(of(await ask(ADMIN_KEY))).toMatchObject({ is_exact: true, differences: 0 })
  expect(of(await ask(key))).toMatchObject({
    is_exact: true,
    differences: null,
    proved_through: null,
    gone: null,
  })
})
