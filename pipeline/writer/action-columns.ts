import { fixed, Int64Column, nativeBlock, StringColumn } from "../clickhouse/native.ts"
import type { ActionRow } from "./action-row.ts"

/** Where a row's message stands: with the row's sequence it names one event for ever. */
export interface Origin {
  readonly generation: number
  readonly stream: string
}

const TIME = "DateTime64(3, 'UTC')"

/** The raw table's columns as the writer sends them; LowCardinality columns travel as plain strings. */
export const ACTION_COLUMNS = [
  ["tenant", "String"],
  ["id", "String"],
  ["type", "String"],
  ["time", TIME],
  ["source", "String"],
  ["actor_id", "String"],
  ["actor_type", "String"],
  ["impersonator_id", "String"],
  ["automated", "Bool"],
  ["quantity", "UInt32"],
  ["client_id", "String"],
  ["candidate_id", "String"],
  ["contact_id", "String"],
  ["job_id", "String"],
  ["page", "String"],
  ["channel", "String"],
  ["session_id", "String"],
  ["correlation_id", "String"],
  ["properties", "String"],
  ["zone", "String"],
  ["local_day", "Date"],
  ["generation", "UInt32"],
  ["stream", "String"],
  ["stream_seq", "UInt64"],
  ["received_at", TIME],
] as const

type StringName = Extract<(typeof ACTION_COLUMNS)[number], readonly [string, "String"]>[0]

const PROPERTIES_BYTES = 64
const ID_BYTES = 24

export const stringsOf = (row: ActionRow, stream: string): Readonly<Record<StringName, string>> => {
  const { event, tenant, zone } = row
  const { data } = event
  return {
    tenant,
    id: event.id,
    type: event.type,
    source: event.source,
    actor_id: data.actor_id,
    actor_type: data.actor_type,
    impersonator_id: data.impersonator_id ?? "",
    client_id: data.client_id ?? "",
    candidate_id: data.candidate_id ?? "",
    contact_id: data.contact_id ?? "",
    job_id: data.job_id ?? "",
    page: data.page ?? "",
    channel: data.channel ?? "",
    session_id: data.session_id ?? "",
    correlation_id: data.correlation_id ?? "",
    properties: data.properties === undefined ? "" : JSON.stringify(data.properties),
    zone,
    stream,
  }
}

/** Rows as one Native block of the raw table. */
export const encodeActions = (rows: ReadonlyArray<ActionRow>, origin: Origin): Buffer => {
  const count = rows.length
  const strings = new Map<StringName, StringColumn>()
  for (const [name, type] of ACTION_COLUMNS)
    if (type === "String")
      strings.set(name, new StringColumn(count * (name === "properties" ? PROPERTIES_BYTES : ID_BYTES)))
  const names = [...strings.keys()]
  const columns = [...strings.values()]
  const time = new Int64Column(count)
  const receivedAt = new Int64Column(count)
  const seq = new Int64Column(count)
  const automated = new Uint8Array(count)
  const quantity = new Uint32Array(count)
  const localDay = new Uint16Array(count)
  let at = 0
  for (const row of rows) {
    const texts = stringsOf(row, origin.stream)
    for (let i = 0; i < columns.length; i++) columns[i]?.push(texts[names[i] as StringName])
    time.push(row.time)
    receivedAt.push(row.receivedAt)
    seq.push(row.seq)
    automated[at] = row.event.data.automated === true ? 1 : 0
    quantity[at] = row.event.data.quantity ?? 1
    localDay[at] = row.localDay
    at++
  }
  const data: Readonly<Record<string, Buffer>> = {
    time: time.take(),
    received_at: receivedAt.take(),
    stream_seq: seq.take(),
    automated: fixed(automated),
    quantity: fixed(quantity),
    local_day: fixed(localDay),
    generation: fixed(new Uint32Array(count).fill(origin.generation)),
  }
  return nativeBlock(
    count,
    ACTION_COLUMNS.map(([name, type]) => ({
      name,
      type,
      data: strings.get(name as StringName)?.take() ?? data[name] ?? Buffer.alloc(0),
    })),
  )
}
