import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { Effect } from "effect"
import { ClickHouse } from "#clickhouse"
import { CATALOGUE } from "#schemas/catalogue.ts"
import { EXPORT_FORMATS } from "#schemas/export.ts"
import { TABLES } from "#schemas/names.ts"
import { clickhouseUrlOf, natsUrlOf } from "../deploy/settings.ts"
import { makeStack } from "./stack.ts"

const PROCESS = fileURLToPath(new URL("./export-process.ts", import.meta.url))
const run = promisify(execFile)

const TENANT = "exports"
const DAYS = 90
const FROM = Date.UTC(2026, 7, 1)
const dayAt = (day: number): string => new Date(FROM + day * 86_400_000).toISOString().slice(0, 10)

const VERSION = "toDateTime64('2026-01-01 00:00:00', 3, 'UTC'), 'e'"
const directory = (table: string, key: string, prefix: string, count: number, fields: string, more = "") => `
INSERT INTO ${table} (tenant, ${key}, record${more === "" ? "" : ", personal"})
SELECT '${TENANT}', concat('${prefix}', toString(number)), (${VERSION}, ${fields}) ${more}
FROM numbers(${count})`

/** As many rows as the log of a large tenant has in a quarter of a year, straight into the store. */
const fill = Effect.fn("fill")(function* (rows: number) {
  const store = yield* ClickHouse
  const types = CATALOGUE.actions.map(({ type }) => type)
  yield* store.command(
    `INSERT INTO ${TABLES.actions}
     WITH fromUnixTimestamp64Milli(toInt64({from:Int64} + intHash32(number) / 4294967296 * {span:Int64}), 'UTC') AS at
     SELECT
       '${TENANT}', toString(generateUUIDv4(number)), {types:Array(String)}[1 + number % length({types:Array(String)})],
       at, '/ats/web', concat('u_', toString(number * 7919 % 500)), 'member', '', false, 1,
       concat('c_', toString(number % 40)), concat('k_', toString(number % 5000)), concat('p_', toString(number % 5000)),
       concat('j_', toString(number % 200)), 'jobs/candidates', 'web', '', '', '', 'Europe/Berlin', toDate(at),
       0, 'ACTIONS', number + 1, at
     FROM numbers({rows:UInt64})`,
    { params: { from: FROM, span: DAYS * 86_400_000, types, rows } },
  )
  const name = (kind: string) => `concat('${kind} No. ', toString(number))`
  const email = `concat('person', toString(number), '@bench.example')`
  for (const statement of [
    directory(
      TABLES.users,
      "user_id",
      "u_",
      500,
      `'member', [], '', ''`,
      `, (${VERSION}, ${name("User")}, ${email}, false)`,
    ),
    directory(TABLES.clients, "client_id", "c_", 40, name("Client")),
    directory(TABLES.candidates, "candidate_id", "k_", 5000, `${name("Candidate")}, ${email}, false`),
    directory(TABLES.jobs, "job_id", "j_", 200, `${name("Job")}, 'c_1', 'open'`),
  ])
    yield* store.command(statement)
})

/**
 * Rows a second of each format beside the store's own CSV of the same rows, read and dropped by the same process in
 * the same run, and the most memory that the process had: for a fifth of the rows and for all of them, and once more
 * for all of them into the object store.
 */
export const exportsBench = Effect.fn("exports")(function* (
  rows: number,
  rounds: number,
  say: (figure: unknown) => void,
) {
  const stack = yield* makeStack
  yield* fill(rows).pipe(Effect.provide(stack.owner))
  const measure = (format: string, days: number, target: "nowhere" | "store") =>
    Effect.promise(async () => {
      const { stdout } = await run(process.execPath, [
        "--max-semi-space-size=4",
        PROCESS,
        clickhouseUrlOf(stack.settings),
        natsUrlOf(stack.settings),
        TENANT,
        format,
        dayAt(-1),
        dayAt(days),
        String(rounds),
        target,
      ])
      say({ bench: "exports", format, target, ...(JSON.parse(stdout) as object) })
    })
  for (const format of EXPORT_FORMATS) {
    yield* measure(format, DAYS / 5, "nowhere")
    yield* measure(format, DAYS, "nowhere")
    yield* measure(format, DAYS, "store")
  }
}, Effect.scoped)
