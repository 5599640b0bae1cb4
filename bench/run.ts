// npm run bench [-- --events 1000000] [--query-events 20000000] [--maintenance-events 10000000]
//   [--only drain,backfill,latency,queries,exports,maintenance]: one JSON line a figure.
import { cpus, totalmem } from "node:os"
import { parseArgs } from "node:util"
import { Effect } from "effect"
import { drain } from "./drain.ts"
import { exportsBench } from "./exports.ts"
import { latency } from "./latency.ts"
import { maintenance } from "./maintenance.ts"
import { queries } from "./queries.ts"

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "1000000" },
    "query-events": { type: "string", default: "20000000" },
    "maintenance-events": { type: "string", default: "10000000" },
    only: { type: "string", default: "drain,backfill,latency,queries,exports,maintenance" },
  },
})
const only = values.only.split(",")
const events = Number(values.events)
const say = (figure: unknown) => process.stdout.write(`${JSON.stringify(figure)}\n`)

say({
  bench: "machine",
  cpu: cpus()[0]?.model ?? "",
  cores: cpus().length,
  memory_gb: Math.round(totalmem() / 1024 ** 3),
  node: process.version,
})
if (only.includes("drain")) say(await Effect.runPromise(drain("drain", events, false)))
if (only.includes("backfill")) say(await Effect.runPromise(drain("backfill", events, true)))
if (only.includes("latency")) say(await Effect.runPromise(latency(5000, 30)))
if (only.includes("queries")) await Effect.runPromise(queries(Number(values["query-events"]), say))
if (only.includes("maintenance"))
  await Effect.runPromise(maintenance(Number(values["maintenance-events"]), say))
if (only.includes("exports")) await Effect.runPromise(exportsBench(events, 3, say))
