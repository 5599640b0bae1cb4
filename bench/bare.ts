// The loop to be measured against: consume, join the messages' own bytes, insert them as JSONEachRow, no checks, no
// ledger, nothing exactly once. A process of its own, like the writer. Arguments: NATS URL, ClickHouse URL, stream,
// table, last sequence. Prints one JSON object.
import { createClient } from "@clickhouse/client"
import { DeliverPolicy, jetstream } from "@nats-io/jetstream"
import { connect } from "@nats-io/transport-node"
import { Readable } from "node:stream"

const [natsUrl = "", clickhouseUrl = "", stream = "", table = "", last = "0"] = process.argv.slice(2)
const ROWS = 20_000
const IN_FLIGHT = 2
const NEWLINE = Buffer.from("\n")

const connection = await connect({ servers: natsUrl })
const client = createClient({ url: clickhouseUrl, username: "default" })
const consumer = await jetstream(connection).consumers.get(stream, {
  deliver_policy: DeliverPolicy.StartSequence,
  opt_start_seq: 1,
})

const insert = async (rows: ReadonlyArray<Uint8Array>) => {
  const { stream: answer } = await client.exec({
    query: `INSERT INTO ${table} FORMAT JSONEachRow`,
    values: Readable.from([Buffer.concat(rows)], { objectMode: false }),
    clickhouse_settings: {
      async_insert: 0,
      input_format_skip_unknown_fields: 1,
      input_format_json_defaults_for_missing_elements_in_named_tuple: 1,
      date_time_input_format: "best_effort",
    },
  })
  for await (const _ of answer) void _
}

const began = performance.now()
let rows: Array<Uint8Array> = []
const underWay = new Set<Promise<void>>()
let count = 0
for await (const message of await consumer.consume({ max_messages: ROWS })) {
  rows.push(message.data, NEWLINE)
  count++
  const isLast = message.seq >= Number(last)
  if (rows.length >= ROWS * 2 || isLast) {
    const work = insert(rows)
    rows = []
    underWay.add(work)
    void work.finally(() => underWay.delete(work))
    if (underWay.size >= IN_FLIGHT) await Promise.race(underWay)
  }
  if (isLast) break
}
await Promise.all(underWay)
const seconds = (performance.now() - began) / 1000
process.stdout.write(`${JSON.stringify({ events: count, seconds })}\n`)
await client.close()
await connection.close()
