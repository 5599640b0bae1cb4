// The users report as a file: counted from the log, equal to what the API answers.
import { beforeAll, describe, expect, it } from "vitest"
import { ClickHouse } from "#clickhouse"
import { METRICS } from "#schemas/catalogue.ts"
import type { UserRow } from "#schemas/report-user-insights.ts"
import { newTenant, testApp } from "../../test-app.ts"
import {
  eraseUsers,
  putActions,
  putLicenses,
  putQuarter,
  putTeams,
  putTenant,
  putUsers,
} from "../../test-rows.ts"
import { readCsv, readNdjson, readParquet, readXlsx, renderer, type Row, snapshotOf } from "../test-render.ts"

const { call, keyFor } = testApp()
const { file, exporter } = renderer()
const tenant = newTenant()
const RANGE = { from: "2026-10-24", to: "2026-10-31" }
const snapshot = snapshotOf(tenant, RANGE)
const INSIGHTS = { report: "user_insights" } as const

const TYPES = ["note.logged", "contact.created", "user.logged_in", "interview.scheduled"]

beforeAll(async () => {
  await putTenant(tenant, "Europe/Berlin")
  await putTeams(tenant, { t_1: { name: "Sales; North" }, t_2: { name: "=Ops" } })
  await putUsers(tenant, {
    ...Object.fromEntries(
      Array.from({ length: 9 }, (_, n) => [`u_${n}`, { team_ids: n % 2 === 0 ? ["t_1", "t_2"] : ["t_1"] }]),
    ),
    licensed: { team_ids: ["t_unknown"] },
    idle: {},
    client: { kind: "client" },
    gone: {},
  })
  await eraseUsers(tenant, ["gone"])
  await putLicenses(tenant, [
    { user_id: "licensed", verb: "assigned", time: "2026-01-01T00:00:00.000Z" },
    { user_id: "u_1", verb: "assigned", time: "2026-01-01T00:00:00.000Z" },
    { user_id: "u_1", verb: "disabled", time: "2026-10-26T00:00:00.000Z" },
    { user_id: "u_2", verb: "deleted", time: "2026-10-26T00:00:00.000Z" },
  ])
  const ids = ["u_0", "u_1", "u_2", "u_3", "u_4", "u_5", "gone", "client", "stranger"]
  await putActions(
    tenant,
    "Europe/Berlin",
    Array.from({ length: 600 }, (_, n) => ({
      id: `a-${n}`,
      type: TYPES[n % 4] ?? "",
      time: new Date(Date.UTC(2026, 9, 18) + n * 2_700_001).toISOString(),
      actor_id: ids[n % 9] ?? "",
      quantity: (n % 3) + 1,
      automated: n % 50 === 0,
      impersonator_id: n % 51 === 0 ? "u_9" : "",
      stream_seq: 1000 + n,
    })),
  )
})

const rowOf = ({ teams, metrics, ...user }: Omit<UserRow, "targets">): Row => ({
  ...user,
  teams: teams.map(({ team_id, name }) => name ?? team_id).join("; ") || null,
  ...metrics,
})

const answered = async (filters = "", range = RANGE): Promise<ReadonlyArray<Row>> => {
  const { body } = await call(
    `/v1/reports/user-insights/users?from=${range.from}&to=${range.to}&limit=500${filters}`,
    await keyFor(tenant),
  )
  return body.data.map(rowOf)
}

const flat = (rows: ReadonlyArray<Row>): ReadonlyArray<Row> =>
  rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, String(cell ?? "")])))

describe("the users report", () => {
  it("is in NDJSON and Parquet what the API answers", async () => {
    const expected = await answered()
    expect(expected.map(({ user_id }) => user_id)).toEqual([
      "gone",
      "licensed",
      "u_0",
      "u_1",
      "u_2",
      "u_3",
      "u_4",
      "u_5",
    ])
    const lines = await file({ ...INSIGHTS, format: "ndjson" }, snapshot)
    expect(readNdjson(lines.bytes)).toEqual(expected)
    expect([lines.rows, lines.expected]).toEqual([8, 8])
    const columns = await file({ ...INSIGHTS, format: "parquet" }, snapshot)
    expect(await readParquet(columns.bytes)).toEqual(expected)
    expect([columns.rows, columns.expected]).toEqual([8, 8])
  })

  it("tells of a Parquet file's rows what is in it, not what was foretold", async () => {
    const own = newTenant()
    await putTenant(own, "UTC")
    await putUsers(own, { u_1: {}, u_2: {}, u_3: {} })
    const license = (user_id: string) =>
      ({ user_id, verb: "assigned", time: "2026-01-01T00:00:00.000Z" }) as const
    await putLicenses(own, [license("u_1")])
    const real = exporter()
    const grown = ClickHouse.of({
      ...real,
      stream: async function* (...asked) {
        await putLicenses(own, [license("u_2"), license("u_3")])
        yield* real.stream(...asked)
      },
    })
    const made = await file({ ...INSIGHTS, format: "parquet" }, snapshotOf(own, RANGE), undefined, grown)
    expect(await readParquet(made.bytes)).toHaveLength(3)
    expect([made.rows, made.expected]).toEqual([3, 1])
  })

  it("is the same in CSV, and in XLSX with numbers that are numbers", async () => {
    const expected = await answered()
    const text = await file({ ...INSIGHTS, format: "csv", csv: { defuse: false } }, snapshot)
    expect(readCsv(text.bytes)).toEqual(flat(expected))
    const sheet = await file({ ...INSIGHTS, format: "xlsx" }, snapshot)
    expect(readXlsx(sheet.bytes)).toEqual(expected)
  })

  it("has its columns in the order of the contract", async () => {
    const { bytes } = await file({ ...INSIGHTS, format: "csv" }, snapshot)
    const headings = bytes.subarray(0, bytes.indexOf("\r\n")).toString().replaceAll('"', "")
    expect(headings).toMatch(
      /^user_id,name,email,teams,license_status,is_active,active_days,last_tracked_activity_at,last_activity_ever_at,logins,/u,
    )
    expect(headings.split(",").slice(9)).toEqual(METRICS)
  })

  it.each([
    ["&team_id=t_2", { team_id: ["t_2"] }],
    ["&user_id=u_1&user_id=u_2", { user_id: ["u_1", "u_2"] }],
    ["&user_email=U_3@example.org", { user_email: ["U_3@example.org"] }],
  ])("takes the filters %s", async (query, filters) => {
    const { bytes } = await file({ ...INSIGHTS, ...filters, format: "ndjson" }, snapshot)
    const expected = await answered(query)
    expect(expected.length).toBeGreaterThan(0)
    expect(readNdjson(bytes)).toEqual(expected)
  })

  it("is in another zone what the API answers in it", async () => {
    const { bytes } = await file(
      { ...INSIGHTS, format: "ndjson" },
      snapshotOf(tenant, { ...RANGE, zone: "Asia/Kathmandu" }),
    )
    expect(readNdjson(bytes)).toEqual(await answered("&tz=Asia/Kathmandu"))
  })

  it("does not know what came after its place in the stream", async () => {
    const at = async (sequence: number) =>
      readNdjson(
        (
          await file(
            { ...INSIGHTS, format: "ndjson" },
            snapshotOf(tenant, { ...RANGE, pin: { generation: 0, sequence } }),
          )
        ).bytes,
      )
    const sum = (rows: ReadonlyArray<Row>) =>
      rows.reduce((total, row) => total + Number(row["notes_logged"]), 0)
    const [none, some, all] = [await at(999), await at(1300), await at(1599)]
    expect(sum(none)).toBe(0)
    expect(sum(some)).toBeGreaterThan(0)
    expect(sum(some)).toBeLessThan(sum(all))
    expect(all).toEqual(await answered())
    expect(none.map((row) => row["last_activity_ever_at"])).toEqual(none.map(() => null))
  })

  it("counts what is older than the log from the rollup", async () => {
    const old = newTenant()
    await putTenant(old, "UTC")
    await putUsers(old, { u_1: {} })
    await putQuarter(old, {
      quarter: "2023-03-01 10:00:00",
      user_id: "u_1",
      action: "note.logged",
      events: 2,
      quantity: 5,
      last_at: "2023-03-01 10:07:00.000",
    })
    const { bytes } = await file(
      { ...INSIGHTS, format: "ndjson" },
      snapshotOf(old, { from: "2023-03-01", to: "2023-03-31", zone: "UTC" }),
    )
    expect(readNdjson(bytes)).toMatchObject([
      { user_id: "u_1", notes_logged: 5, active_days: 1, last_activity_ever_at: "2023-03-01T10:07:00.000Z" },
    ])
  })

  it("leaves names out where they are hidden", async () => {
    const { bytes } = await file(
      { ...INSIGHTS, format: "ndjson" },
      snapshotOf(tenant, { ...RANGE, hide_names: true }),
    )
    const rows = readNdjson(bytes)
    expect(rows.map(({ name, email }) => [name, email])).toEqual(rows.map(() => [null, null]))
  })

  it("of a member holds the member alone", async () => {
    const { bytes } = await file(
      { ...INSIGHTS, format: "ndjson" },
      snapshotOf(tenant, { ...RANGE, scope: { kind: "self", user: "u_2" } }),
    )
    expect(readNdjson(bytes).map(({ user_id }) => user_id)).toEqual(["u_2"])
  })
})
