// The same snapshot gives the same bytes, of Parquet the same rows, in one order, whatever the store did meanwhile.
import { createHash } from "node:crypto"
import { Effect } from "effect"
import { beforeAll, describe, expect, it } from "vitest"
import { ClickHouse } from "#clickhouse"
import { EXPORT_FORMATS, type ExportFormat } from "#schemas/export.ts"
import { newTenant, storeAs } from "../../test-app.ts"
import { putCandidates, putTenant, putUsers } from "../../test-rows.ts"
import { readNdjson, readParquet, renderer, snapshotOf } from "../test-render.ts"

const { file, exporter } = renderer()
const tenant = newTenant()
const ROWS = 120_000
const snapshot = snapshotOf(tenant, {
  from: "2026-09-01",
  to: "2026-11-30",
  pin: { generation: 0, sequence: ROWS },
})
const LOG = { report: "user_actions" } as const

const command = (statement: string, params: Readonly<Record<string, unknown>>) =>
  ClickHouse.pipe(
    Effect.flatMap((store) => store.command(statement, { params: { tenant, ...params } })),
    Effect.provide(storeAs("tidemark_writer")),
    Effect.runPromise,
  )

/** Rows of three months whose times say nothing about their sequences; many share one time. */
const insert = (first: number, count: number) =>
  command(
    `INSERT INTO tidemark.actions (tenant, id, type, time, actor_id, actor_type, candidate_id, page, zone, generation, stream, stream_seq)
     SELECT
       {tenant:String}, toString(sipHash64(number)), 'candidate_profile.viewed',
       toDateTime64('2026-09-01 00:00:00', 3, 'UTC') + toIntervalSecond(intHash32(number) % 7800000 AS second),
       concat('u_', toString(number % 50)), 'member', concat('k_', toString(number % 500)),
       repeat('p', 1 + number % 90), 'UTC', 0, 'ACTIONS', number + 1
     FROM numbers({first:UInt64}, {count:UInt64})`,
    { first, count },
  )

type Stream = ClickHouse["Service"]["stream"]

/** The real store, asked for its rows in another way. */
const asked = (change: (...asked: Parameters<Stream>) => Parameters<Stream>) => {
  const real = exporter()
  return ClickHouse.of({ ...real, stream: (...args) => real.stream(...change(...args)) })
}

const digest = (bytes: Buffer | string): string => createHash("sha256").update(bytes).digest("hex")

/** Of Parquet the rows: the server cuts its groups of rows where blocks end, which depends on the parts that it reads. */
const digestOf = async (format: ExportFormat): Promise<string> => {
  const { bytes } = await file({ ...LOG, format }, snapshot)
  return digest(format === "parquet" ? JSON.stringify(await readParquet(bytes)) : bytes)
}

beforeAll(async () => {
  await putTenant(tenant, "Europe/Berlin")
  await putUsers(tenant, Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`u_${n}`, {}])))
  await putCandidates(
    tenant,
    Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`k_${n}`, { name: `Name ${n}` }])),
  )
  for (let first = 0; first < ROWS; first += 20_000) await insert(first, 20_000)
})

describe("a snapshot", () => {
  it("is in the order of time and id, newest first, whatever order its rows came in", async () => {
    const { bytes } = await file({ ...LOG, format: "ndjson" }, snapshot)
    const expected = await ClickHouse.pipe(
      Effect.flatMap((store) =>
        store.query<{ readonly at: string; readonly actor: string; readonly page: number }>(
          `SELECT formatDateTime(time, '%FT%T.000Z') AS at, actor_id AS actor, length(page) AS page
           FROM tidemark.actions WHERE tenant = {tenant:String} AND stream_seq <= {rows:UInt64}
           ORDER BY time DESC, id DESC`,
          { params: { tenant, rows: ROWS } },
        ),
      ),
      Effect.provide(storeAs("tidemark_api")),
      Effect.runPromise,
    )
    const found = readNdjson(bytes).map((row) => ({
      at: row["occurred_at_utc"],
      actor: row["actor_user_id"],
      page: String(row["page"]).length,
    }))
    expect(found).toHaveLength(ROWS)
    expect(found).toEqual(expected)
  })

  it("gives the same again after more has arrived", { timeout: 120_000 }, async () => {
    const made = async () =>
      Object.fromEntries(
        await Promise.all(EXPORT_FORMATS.map(async (format) => [format, await digestOf(format)] as const)),
      )
    const before = await made()
    for (let n = 0; n < 5; n++) await insert(ROWS + n * 3000, 3000)
    expect(await made()).toEqual(before)
  })

  it("that is no longer wanted ends with an error, and its query with it", async () => {
    const controller = new AbortController()
    controller.abort()
    await expect(file({ ...LOG, format: "csv" }, snapshot, controller.signal)).rejects.toBeInstanceOf(Error)
  })

  it("whose days are too large for the memory is sorted on disk, to the same bytes", async () => {
    const onDisk = asked((statement, options) => [
      statement,
      {
        ...options,
        settings: {
          ...options?.settings,
          optimize_read_in_order: 0,
          max_bytes_before_external_sort: "2000000",
          max_memory_usage: "200000000",
        },
      },
    ])
    const [one, other] = [
      await file({ ...LOG, format: "csv" }, snapshot),
      await file({ ...LOG, format: "csv" }, snapshot, undefined, onDisk),
    ]
    expect(other.bytes.equals(one.bytes)).toBe(true)
  })

  it.each(EXPORT_FORMATS)("that the store cannot give whole is an error in %s", async (format) => {
    const broken = asked((statement, options) => [
      statement.replace(
        "actor_id, actor_type",
        "if(throwIf(stream_seq = 60000) = 0, actor_id, '') AS actor_id, actor_type",
      ),
      { ...options, settings: { ...options?.settings, max_block_size: "1000" } },
    ])
    await expect(file({ ...LOG, format }, snapshot, undefined, broken)).rejects.toMatchObject({
      _tag: "ClickHouseError",
      code: 395,
    })
  })
})
