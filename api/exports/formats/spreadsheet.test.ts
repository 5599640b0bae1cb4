// A real spreadsheet program opens the files and shows the same cells. Where LibreOffice is not installed this is
// skipped; `npm run test:spreadsheet` runs it alone.
import { spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { newTenant } from "../../test-app.ts"
import { putActions, putTenant, putUsers } from "../../test-rows.ts"
import { readCsv, readNdjson, renderer, type Row, snapshotOf } from "../test-render.ts"

const hasOffice = spawnSync("soffice", ["--version"], { stdio: "ignore" }).status === 0

const { file } = renderer()
const tenant = newTenant()
const snapshot = snapshotOf(tenant, { from: "2026-10-20", to: "2026-10-31" })

const NAMES = [
  "=1+1",
  '=HYPERLINK("http://evil.example";"x")',
  "+49 170 1234567",
  "-2+3",
  "@SUM(A1:A9)",
  "\t=1+1",
  "\n=1+1",
  "\u0000=1+1",
  'a "quoted", name',
  "two\nlines",
  "Zoë Müller 🦊",
  "שלום",
  "007",
  "1e5",
  "2026-11-01",
  "TRUE",
  "<b>&amp;</b>",
  "_x0041_",
]

/** Tab-separated is no help to cells with tabs and lines: what the program shows comes back as quoted CSV in UTF-8. */
const SHOWN = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true,true,false,false,false,-1"
/** Commas, double quotes, UTF-8, from line 1. */
const AS_IT_IS = "CSV:44,34,76,1"
/** The same, with `Format quoted field as text` of the dialog. */
const QUOTED_AS_TEXT = `${AS_IT_IS},,0,true`

let folder = ""
const open = (name: string, bytes: Buffer, filter: ReadonlyArray<string>): ReadonlyArray<Row> => {
  writeFileSync(join(folder, name), bytes)
  const out = join(folder, `${name}-shown`)
  const { status, stderr } = spawnSync(
    "soffice",
    [
      `-env:UserInstallation=file://${join(folder, "profile")}`,
      "--headless",
      "--norestore",
      ...filter,
      "--convert-to",
      SHOWN,
      "--outdir",
      out,
      join(folder, name),
    ],
    { encoding: "utf8", timeout: 120_000 },
  )
  expect([status, stderr]).toEqual([0, expect.any(String)])
  const [shown = ""] = readdirSync(out)
  return readCsv(readFileSync(join(out, shown)), "\n")
}

beforeAll(async () => {
  if (!hasOffice) return
  folder = mkdtempSync(join(tmpdir(), "tidemark-office-"))
  await putTenant(tenant, "Europe/Berlin")
  await putUsers(tenant, Object.fromEntries(NAMES.map((name, n) => [`u_${n}`, { name }])))
  await putActions(
    tenant,
    "Europe/Berlin",
    NAMES.map((name, n) => ({
      id: `e-${n}`,
      type: "page.viewed",
      time: new Date(Date.UTC(2026, 9, 24, 20) + n * 900_123).toISOString(),
      actor_id: `u_${n}`,
      page: name,
    })),
  )
})
afterAll(() => {
  if (hasOffice) rmSync(folder, { recursive: true, force: true })
})

const expectedNames = async (): Promise<ReadonlyArray<unknown>> =>
  readNdjson((await file({ report: "user_actions", format: "ndjson" }, snapshot)).bytes).map(
    ({ actor_name }) => actor_name,
  )

const defused = (name: unknown): unknown =>
  /^[=+\-@\t\n\r\0]/u.test(String(name)) ? `'${String(name)}` : name

/** The program drops a NUL of a CSV, and would see what stands after it. */
const shown = (name: unknown): unknown => String(defused(name)).replaceAll("\0", "")

describe.skipIf(!hasOffice)("LibreOffice", () => {
  it("shows a workbook's cells as they are, and calculates none", { timeout: 180_000 }, async () => {
    const { bytes } = await file({ report: "user_actions", format: "xlsx" }, snapshot)
    const rows = open("log.xlsx", bytes, [])
    expect(rows.map(({ actor_name }) => actor_name)).toEqual(await expectedNames())
    expect(rows.map(({ page }) => page)).toEqual(await expectedNames())
  })
  it("shows a CSV's cells as they are when what is quoted is text", { timeout: 180_000 }, async () => {
    const { bytes } = await file({ report: "user_actions", format: "csv", csv: { bom: true } }, snapshot)
    const rows = open("text.csv", bytes, [`--infilter=${QUOTED_AS_TEXT}`])
    expect(rows.map(({ actor_name }) => actor_name)).toEqual((await expectedNames()).map(shown))
  })
  it("calculates nothing of a defused CSV when it guesses what cells are", { timeout: 180_000 }, async () => {
    const { bytes } = await file({ report: "user_actions", format: "csv" }, snapshot)
    const rows = open("guessed.csv", bytes, [`--infilter=${AS_IT_IS}`])
    const dangerous = (await expectedNames()).filter((name) => defused(name) !== name)
    expect(dangerous).toHaveLength(8)
    expect(rows.map(({ actor_name }) => actor_name).filter((name) => String(name).startsWith("'"))).toEqual(
      dangerous.map(shown),
    )
  })
})
