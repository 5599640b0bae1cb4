// What stands in the files: the same cells in each format, and the same as the API answers with.
import { beforeAll, describe, expect, it } from "vitest"
import type { ActionRow } from "#schemas/report-actions.ts"
import { newTenant, testApp } from "../../test-app.ts"
import {
  eraseCandidates,
  eraseUsers,
  putActions,
  putCandidates,
  putClients,
  putJobs,
  putTenant,
  putUsers,
} from "../../test-rows.ts"
import { readCsv, readNdjson, readParquet, readXlsx, renderer, type Row, snapshotOf } from "../test-render.ts"

const { call, keyFor } = testApp()
const { file } = renderer()
const tenant = newTenant()
const RANGE = { from: "2026-10-20", to: "2026-10-31" }
const snapshot = snapshotOf(tenant, RANGE)
const ACTIONS = { report: "user_actions" } as const

const NASTY = [
  "=1+1",
  "+49 170 1234567",
  "-2",
  "@SUM(A1:A9)",
  "\tTab",
  "\rReturn",
  "\nFeed",
  "\u0000=1+1",
  '=HYPERLINK("http://evil.example","x")',
  'a "quoted" word',
  '"',
  "two\r\nlines",
  "one\nfeed",
  "comma, semicolon; and\ttab",
  " spaces at both ends ",
  "Zoë Müller 🦊 👩‍👩‍👧",
  "שלום عالم \u202Eabc",
  "\u0000\u0001\u001F\u007F",
  "\uFEFFbom",
  "\uFFFE\uFFFF",
  "<b>&amp;</b> ]]> &#10;",
  "_x0041_ _x005F_x0041_ _x_ _x0041_x0042_",
  "\\N",
  "\\n\\\"'",
  "NULL",
  "null",
  "null undefined 0 false",
  "007",
  "1e5",
  "2026-11-01",
  "'quoted",
  "{tenant:String}${x}",
  "x".repeat(200),
]

beforeAll(async () => {
  await putTenant(tenant, "Europe/Berlin")
  const named = (field: string, more: Row = {}) =>
    Object.fromEntries(NASTY.map((text) => [text, { [field]: text, ...more }]))
  await putUsers(tenant, {
    ...Object.fromEntries(NASTY.map((text) => [text, { name: text, email: text }])),
    gone: {},
  })
  await putClients(tenant, named("name"))
  await putCandidates(tenant, {
    ...Object.fromEntries(NASTY.map((text) => [text, { name: text, email: text }])),
    gone: { name: "Gone" },
  })
  await putJobs(tenant, named("title"))
  await eraseUsers(tenant, ["gone"])
  await eraseCandidates(tenant, ["gone"])
  const at = (index: number) => new Date(Date.UTC(2026, 9, 24, 20) + index * 900_123).toISOString()
  await putActions(tenant, "Europe/Berlin", [
    ...NASTY.map((text, index) => ({
      id: `e-${index}`,
      type: "candidate_profile.viewed",
      time: at(index),
      actor_id: text,
      client_id: text,
      candidate_id: text,
      job_id: text,
      page: text,
    })),
    { id: "unknown", type: "note.logged", time: at(40), actor_id: "nobody", client_id: "c", job_id: "j" },
    { id: "gone", type: "cv.downloaded", time: at(41), actor_id: "gone", candidate_id: "gone" },
    {
      id: "candidate",
      type: "candidate.applied",
      time: at(42),
      actor_id: "=1+1",
      actor_type: "candidate",
      candidate_id: "=1+1",
    },
    { id: "robot", type: "note.logged", time: at(43), actor_id: "007", automated: true },
    { id: "same-time", type: "note.logged", time: at(43), actor_id: "007" },
  ])
})

const rowOf = (action: ActionRow): Row => ({
  client_name: action.client?.name ?? null,
  client_id: action.client?.id ?? null,
  actor_name: action.actor.name,
  actor_email: action.actor.email,
  actor_user_id: action.actor.id,
  candidate_name: action.candidate?.name ?? null,
  candidate_email: action.candidate?.email ?? null,
  candidate_id: action.candidate?.id ?? null,
  job_title: action.job?.title ?? null,
  job_id: action.job?.id ?? null,
  page: action.page,
  action: action.type,
  action_label: action.action_label,
  occurred_at: action.occurred_at,
  occurred_at_utc: action.occurred_at_utc,
})

const answered = async (filters = "", key?: string): Promise<ReadonlyArray<Row>> => {
  const { body } = await call(
    `/v1/actions?from=${RANGE.from}&to=${RANGE.to}&limit=1000${filters}`,
    key ?? (await keyFor(tenant)),
  )
  return body.data.map(rowOf)
}

/** As a table without nulls shows it. */
const flat = (rows: ReadonlyArray<Row>): ReadonlyArray<Row> =>
  rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, String(cell ?? "")])))

describe("the action log", () => {
  it("is in NDJSON what the API answers, in its order", async () => {
    const expected = await answered()
    expect(expected).toHaveLength(NASTY.length + 5)
    const { bytes, rows, expected: foretold } = await file({ ...ACTIONS, format: "ndjson" }, snapshot)
    expect(readNdjson(bytes)).toEqual(expected)
    expect([rows, foretold]).toEqual([expected.length, expected.length])
  })

  it("is the same in Parquet", async () => {
    const expected = await answered()
    const { bytes, rows } = await file({ ...ACTIONS, format: "parquet" }, snapshot)
    expect(await readParquet(bytes)).toEqual(expected)
    expect(rows).toBe(expected.length)
  })

  it("is the same in CSV when nothing is defused", async () => {
    const { bytes, rows } = await file({ ...ACTIONS, format: "csv", csv: { defuse: false } }, snapshot)
    expect(readCsv(bytes)).toEqual(flat(await answered()))
    expect(rows).toBe(NASTY.length + 5)
  })

  it("is the same in XLSX, as strings", async () => {
    const { bytes, rows } = await file({ ...ACTIONS, format: "xlsx" }, snapshot)
    expect(flat(readXlsx(bytes))).toEqual(flat(await answered()))
    expect(rows).toBe(NASTY.length + 5)
  })

  it("has its columns in the order of the contract", async () => {
    const { bytes } = await file({ ...ACTIONS, format: "csv" }, snapshot)
    expect(bytes.subarray(0, bytes.indexOf("\r\n")).toString().replaceAll('"', "")).toBe(
      "client_name,client_id,actor_name,actor_email,actor_user_id,candidate_name,candidate_email,candidate_id,job_title,job_id,page,action,action_label,occurred_at,occurred_at_utc",
    )
  })
})

describe("what a spreadsheet may take for a formula", () => {
  const DANGEROUS = /^[=+\-@\t\n\r\0]/u

  it("begins with an apostrophe in every column of CSV, and nothing else is touched", async () => {
    const { bytes } = await file({ ...ACTIONS, format: "csv" }, snapshot)
    const expected = flat(await answered()).map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, cell]) => [
          name,
          DANGEROUS.test(String(cell)) ? `'${String(cell)}` : cell,
        ]),
      ),
    )
    const rows = readCsv(bytes)
    expect(rows).toEqual(expected)
    expect(rows.flatMap((row) => Object.values(row)).filter((cell) => DANGEROUS.test(String(cell)))).toEqual(
      [],
    )
    expect(rows.map(({ actor_name }) => actor_name)).toContain("'+49 170 1234567")
  })

  it("is let through when the caller says so: telephone numbers are as they were", async () => {
    const { bytes } = await file({ ...ACTIONS, format: "csv", csv: { defuse: false } }, snapshot)
    expect(readCsv(bytes).map(({ actor_name }) => actor_name)).toContain("+49 170 1234567")
  })
})

describe("a byte order mark", () => {
  it("stands at the beginning when it is wanted, and only then", async () => {
    const [plain, marked] = [
      await file({ ...ACTIONS, format: "csv" }, snapshot),
      await file({ ...ACTIONS, format: "csv", csv: { bom: true } }, snapshot),
    ]
    expect(plain.bytes[0]).toBe('"'.charCodeAt(0))
    expect(marked.bytes.subarray(0, 3)).toEqual(Buffer.from([0xef, 0xbb, 0xbf]))
    expect(marked.bytes.subarray(3).equals(plain.bytes)).toBe(true)
  })
})

describe("the filters", () => {
  const query = (name: string, values: ReadonlyArray<string>) =>
    values.map((value) => `&${name}=${encodeURIComponent(value)}`).join("")

  it.each([
    ["client_id", ["=1+1", "comma, semicolon; and\ttab"]],
    ["user_id", ["007", "nobody"]],
    ["user_email", ["@SUM(A1:A9)", "ZOË MÜLLER 🦊 👩‍👩‍👧"]],
    ["candidate_id", ["gone", '"']],
    ["job_id", ["j", "NULL"]],
    ["action", ["note.logged", "cv.downloaded"]],
  ])("by %s are the log's own", async (name, values) => {
    const expected = await answered(query(name, values))
    expect(expected.length).toBeGreaterThan(1)
    const { bytes, rows } = await file({ ...ACTIONS, [name]: values, format: "ndjson" }, snapshot)
    expect(readNdjson(bytes)).toEqual(expected)
    expect(rows).toBe(expected.length)
  })
})

describe("a snapshot", () => {
  it("does not hold what came after its place in the stream", async () => {
    const own = newTenant()
    const at = (n: number) => ({
      id: `e-${n}`,
      type: "note.logged",
      time: `2026-10-2${n}T10:00:00.000Z`,
      actor_id: "u",
      generation: n < 3 ? 0 : 1,
      stream_seq: n < 3 ? 500 + n : n,
    })
    await putActions(own, "UTC", [1, 2, 3, 4].map(at))
    const days = async (generation: number, sequence: number) =>
      readNdjson(
        (
          await file(
            { ...ACTIONS, format: "ndjson" },
            snapshotOf(own, { ...RANGE, zone: "UTC", pin: { generation, sequence } }),
          )
        ).bytes,
      ).map(({ occurred_at_utc }) => String(occurred_at_utc).slice(8, 10))
    expect(await days(0, 500)).toEqual([])
    expect(await days(0, 501)).toEqual(["21"])
    expect(await days(0, 9999)).toEqual(["22", "21"])
    expect(await days(1, 3)).toEqual(["23", "22", "21"])
    expect(await days(1, 4)).toEqual(["24", "23", "22", "21"])
  })

  it("without names has no name and no e-mail address of anybody, and all ids", async () => {
    const { bytes } = await file(
      { ...ACTIONS, format: "ndjson" },
      snapshotOf(tenant, { ...RANGE, hide_names: true }),
    )
    const hidden = { actor_name: null, actor_email: null, candidate_name: null, candidate_email: null }
    expect(readNdjson(bytes)).toEqual((await answered()).map((row) => ({ ...row, ...hidden })))
  })

  it.each([
    [{ kind: "self", user: "007" } as const, ["007", "007", "007"]],
    [{ kind: "self", user: "" } as const, []],
  ])("of the scope %o holds its actors alone", async (scope, actors) => {
    const { bytes, expected } = await file(
      { ...ACTIONS, format: "ndjson" },
      snapshotOf(tenant, { ...RANGE, scope }),
    )
    expect(readNdjson(bytes).map(({ actor_user_id }) => actor_user_id)).toEqual(actors)
    expect(expected).toBe(actors.length)
  })

  it("of one tenant has nothing of another", async () => {
    const { bytes, rows } = await file({ ...ACTIONS, format: "ndjson" }, snapshotOf(newTenant(), RANGE))
    expect([bytes.length, rows]).toEqual([0, 0])
  })

  it.each(["csv", "ndjson", "parquet", "xlsx"] as const)(
    "that is empty is a whole file in %s",
    async (format) => {
      const { bytes, rows } = await file({ ...ACTIONS, format }, snapshotOf(newTenant(), RANGE))
      const read = { csv: readCsv, ndjson: readNdjson, parquet: readParquet, xlsx: readXlsx }[format]
      expect(await read(bytes)).toEqual([])
      expect(rows).toBe(0)
    },
  )
})
