import { Effect } from "effect"
import { ClickHouse } from "#clickhouse"
import { TABLES } from "#schemas/names.ts"
import { readRange } from "../../pipeline/writer/read-range.ts"
import { type ClusterWorld } from "./cluster-world.ts"

const SHOWN = 10

/** For whoever looks for the cause: which ids the streams hold and raw lacks, and which stand in raw twice. */
export const diagnose = Effect.fn("diagnose")(function* (world: ClusterWorld) {
  const store = yield* ClickHouse
  const rows = yield* store.query<{ key: string; places: ReadonlyArray<string> }>(
    `SELECT concat(tenant, ':', id) AS key,
       groupArray(concat(stream, ' ', toString(generation), ' ', toString(stream_seq), ' ', _part)) AS places
     FROM ${TABLES.actions} GROUP BY key`,
  )
  const raw = new Map(rows.map(({ key, places }) => [key, places]))
  const streamed = new Map<string, Array<string>>()
  for (const stream of world.streams)
    for (let from = 1; ;) {
      const range = { stream, from, to: Number.MAX_SAFE_INTEGER }
      const { messages } = yield* readRange(range, { rows: 100_000, bytes: 64 * 1024 * 1024 })
      for (const { seq, messageId = "", receivedAt } of messages) {
        const places = streamed.get(messageId) ?? []
        places.push(`${stream} ${seq} at ${new Date(receivedAt).toISOString()}`)
        streamed.set(messageId, places)
      }
      const last = messages.at(-1)
      if (last === undefined) break
      from = last.seq + 1
    }
  const say = (what: string, keys: ReadonlyArray<string>) =>
    keys.length === 0
      ? []
      : [
          `${keys.length} ${what}:`,
          ...keys
            .slice(0, SHOWN)
            .map(
              (key) => `  ${key}: stream ${streamed.get(key)?.join(", ")}; raw ${raw.get(key)?.join(", ")}`,
            ),
        ]
  return [
    `the streams hold ${streamed.size} ids, raw ${raw.size}`,
    ...say(
      "stand in raw more than once",
      [...raw].filter(([, places]) => places.length > 1).map(([key]) => key),
    ),
    ...say(
      "are in raw and in no stream",
      [...raw.keys()].filter((key) => !streamed.has(key)),
    ),
    ...say(
      "are in a stream and not in raw (refused ones too)",
      [...streamed.keys()].filter((key) => !raw.has(key)),
    ),
  ]
})
