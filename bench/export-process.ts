// A process that makes one file again and again, and reads the same rows as the store's own CSV in between. Arguments:
// ClickHouse URL, NATS URL, tenant, format, first and last day, rounds, where the file goes: `nowhere` or `store`.
import { Context, Effect, Layer } from "effect"
import { ClickHouse } from "#clickhouse"
import { Nats } from "#nats/connection.ts"
import type { ExportRequest, Snapshot } from "#schemas/export.ts"
import { csv } from "../api/exports/formats/csv.ts"
import { natsFiles } from "../api/exports/nats-files.ts"
import { noProgress, produce } from "../api/exports/produce.ts"
import { render } from "../api/exports/render.ts"
import { exportActions } from "../api/queries/export-actions.ts"

const [url = "", natsUrl = "", tenant = "", format = "csv", from = "", to = "", rounds = "3", target = ""] =
  process.argv.slice(2)

const request = { report: "user_actions", format, from, to } as ExportRequest & { report: "user_actions" }
const snapshot: Snapshot = {
  tenant,
  from,
  to,
  zone: "Europe/Berlin",
  now: Date.now(),
  pin: { generation: 4_000_000_000, sequence: 9_000_000_000 },
  scope: { kind: "everybody" },
  hide_names: false,
}
const { signal } = new AbortController()

const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1000
}

const measure = Effect.gen(function* () {
  const services = yield* Layer.build(
    Layer.merge(
      ClickHouse.layer({ url, user: "tidemark_exporter", password: "" }),
      Nats.layer({ url: natsUrl, name: "bench-export" }),
    ),
  )
  const store = Context.get(services, ClickHouse)
  const files = natsFiles(Context.get(services, Nats))
  // The very same rows and columns, with nothing done to a cell.
  const { exported, rows } = yield* exportActions(request, snapshot).pipe(Effect.provide(services))
  const plain = csv({ defuse: false })
  const bare = async () => {
    const statement = `${exported.statement(plain.cells)}\nFORMAT CSV`
    const settings = { ...exported.settings, date_time_output_format: "iso" } as const
    for await (const _ of store.stream(statement, { params: exported.params, settings })) void _
  }
  const progress = noProgress()
  const make = async () => {
    const given = { store, request, snapshot, signal }
    if (target === "store") {
      await produce({ ...given, render, files, name: `${tenant}.bench.1`, progress })
      await files.remove(`${tenant}.bench.1`)
      return
    }
    const ignored = { onExpected: () => undefined, onRows: (more: number) => (progress.rows += more) }
    for await (const chunk of render({ ...given, ...ignored })) progress.bytes += chunk.length
  }
  return yield* Effect.promise(async () => {
    const made: Array<number> = []
    const read: Array<number> = []
    for (let round = 0; round < Number(rounds); round++) {
      read.push(await seconds(bare))
      made.push(await seconds(make))
    }
    return { rows, made: Math.min(...made), read: Math.min(...read), bytes: progress.bytes / Number(rounds) }
  })
}).pipe(Effect.scoped)

const { rows, made, read, bytes } = await Effect.runPromise(measure)
process.stdout.write(
  JSON.stringify({
    rows,
    rows_per_second: Math.round(rows / made),
    clickhouse_csv_rows_per_second: Math.round(rows / read),
    ratio: Number((read / made).toFixed(2)),
    file_mb: Math.round(bytes / 1e6),
    peak_rss_mb: Math.round(process.resourceUsage().maxRSS / 1024),
  }),
)
