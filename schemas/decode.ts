import "./compile.ts"
import { Schema } from "effect"
import { ActionData, actionDataFields, type ActionEvent } from "./action-event.ts"
import { ACTION_BY_TYPE } from "./catalogue.ts"
import {
  type DirectoryEvent,
  directoryDataFields,
  isDirectoryType,
  DIRECTORY_TYPES,
} from "./directory-event.ts"
import { envelopeFields, unknownField } from "./envelope.ts"
import { MAX_DEPTH, parseJson } from "./json.ts"
import { messageId as messageIdOf } from "./names.ts"
import { EVENT_ID } from "./patterns.ts"
import type { Refusal, RefusalReason } from "./refusal.ts"
import { parseTime } from "./time.ts"

/** The largest message that is stored; the streams accept more, so that what is too large is seen. */
export const MAX_EVENT_BYTES = 32 * 1024

/** What came with a payload and what it is judged by. */
export interface Arrival {
  readonly payload: Uint8Array
  /** The tenant that the subject or the credential names; undefined when the subject names none. */
  readonly tenant: string | undefined
  /** `<object>.<verb>` of the subject; undefined when the subject does not fit the pattern. */
  readonly type: string | undefined
  /** The header `Nats-Msg-Id`. Over HTTP there is none yet and `checkRoute` is false. */
  readonly messageId: string | undefined
  /** False over HTTP, where subject and message id are made from the event. */
  readonly checkRoute: boolean
  /** When the stream received it, milliseconds since 1970. */
  readonly receivedAt: number
}

/** Durations in milliseconds. */
export interface Limits {
  readonly maxClockAhead: number
  /** How far back of its receive time an action may lie. */
  readonly maxAge: number
}

export type Decoded<Event> =
  | { readonly ok: true; readonly event: Event; readonly time: number }
  | ({ readonly ok: false } & Refusal)

const refuse = (reason: RefusalReason, detail: string) => ({ ok: false, reason, detail }) as const

const Envelope = Schema.Struct({
  ...envelopeFields,
  data: Schema.Record(Schema.String, Schema.Unknown),
})
const isEnvelope = Schema.is(Envelope)
const isActionData = Schema.is(ActionData)
const unknownActionField = unknownField(actionDataFields)

/** Why a value does not fit, in words. Only for refusals: it is slow. The value itself is left out, it may be private. */
const explain = (schema: Schema.Decoder<unknown>, value: unknown, at: string): string => {
  const standard = Schema.toStandardSchemaV1(schema)["~standard"].validate(value)
  if (standard instanceof Promise || standard.issues === undefined) return "not a valid event"
  const issue = standard.issues[0]
  const path = (issue?.path ?? []).map((part) => String(typeof part === "object" ? part.key : part))
  return `${[at, ...path].filter(Boolean).join(".") || "the event"}: ${(issue?.message ?? "is not valid").replace(/, got .*$/su, "")}`
}

type Object_ = Readonly<Record<string, unknown>>

/** A replayed dead letter comes with `<tenant>:<id>:replay:<n>`. */
const REPLAY_SUFFIX = /:replay:\d+$/u

/** True for the message id of a replayed dead letter, which is always looked up. */
export const isReplay = (messageId: string): boolean =>
  messageId.includes(":replay:") && REPLAY_SUFFIX.test(messageId)

const checkMessageId = ({ messageId, tenant }: Arrival, id: unknown): Refusal | undefined => {
  if (messageId === undefined)
    return refuse("missing_message_id", "the header Nats-Msg-Id is absent")
  if (typeof id === "string" && tenant !== undefined && messageId === messageIdOf(tenant, id)) return undefined
  const plain = isReplay(messageId) ? messageId.replace(REPLAY_SUFFIX, "") : messageId
  const colon = plain.indexOf(":")
  const fits =
    colon > 0 &&
    (tenant === undefined || plain.slice(0, colon) === tenant) &&
    (typeof id === "string" && EVENT_ID.test(id) ? plain.slice(colon + 1) === id : EVENT_ID.test(plain.slice(colon + 1)))
  return fits
    ? undefined
    : refuse("missing_message_id", "the header Nats-Msg-Id is not <tenant>:<id> of this event")
}

const checkRoute = (arrival: Arrival, event: Object_): Refusal | undefined => {
  const tenantid = event["tenantid"]
  if (typeof tenantid === "string" && arrival.tenant !== undefined && tenantid !== arrival.tenant)
    return refuse("tenant_mismatch", "tenantid is not the tenant of the subject or credential")
  if (!arrival.checkRoute) return undefined
  if (arrival.tenant === undefined || arrival.type === undefined)
    return refuse("subject_mismatch", "the subject is not <kind>.v1.<tenant>.<object>.<verb>")
  if (typeof event["type"] === "string" && event["type"] !== arrival.type)
    return refuse("subject_mismatch", "type is not the last two tokens of the subject")
  return undefined
}

/** Everything that actions and directory events have in common: size, JSON, route and envelope. */
const open = (
  arrival: Arrival,
  isKnownType: (type: string) => boolean,
): { readonly ok: true; readonly event: typeof Envelope.Type } | ({ readonly ok: false } & Refusal) => {
  if (arrival.payload.byteLength > MAX_EVENT_BYTES)
    return refuse("too_large", `the message has ${arrival.payload.byteLength} bytes, more than ${MAX_EVENT_BYTES}`)
  const parsed = parseJson(arrival.payload)
  if (!parsed.ok) return refuse("invalid_json", parsed.detail)
  const value = parsed.value
  const event: Object_ =
    typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Object_) : {}
  if (arrival.checkRoute) {
    const refusal = checkMessageId(arrival, event["id"])
    if (refusal !== undefined) return { ok: false, ...refusal }
  }
  const misrouted = checkRoute(arrival, event)
  if (misrouted !== undefined) return { ok: false, ...misrouted }
  const type = event["type"]
  if (typeof type === "string" && !isKnownType(type))
    return refuse("unknown_type", "type is not in the catalogue")
  if (parsed.depth > MAX_DEPTH) return refuse("invalid_event", `nested deeper than ${MAX_DEPTH} levels`)
  if (!isEnvelope(value)) return refuse("invalid_event", explain(Envelope, value, ""))
  return { ok: true, event: value }
}

const isCatalogued = (type: string): boolean => ACTION_BY_TYPE.has(type)

/** Reads and checks one action event. The result's `time` is in milliseconds since 1970. */
export const decodeAction = (arrival: Arrival, limits: Limits): Decoded<ActionEvent> => {
  const opened = open(arrival, isCatalogued)
  if (!opened.ok) return opened
  const event = opened.event as unknown as ActionEvent
  const data: object = event.data
  const stray = unknownActionField(data)
  if (stray !== undefined) return refuse("invalid_event", `data has an unknown field ${JSON.stringify(stray.slice(0, 60))}`)
  if (!isActionData(data)) return refuse("invalid_event", explain(ActionData, data, "data"))
  for (const reference of ACTION_BY_TYPE.get(event.type)?.requires ?? [])
    if (event.data[reference] === undefined)
      return refuse("missing_reference", `${event.type} needs data.${reference}`)
  const time = parseTime(event.time)
  if (time > arrival.receivedAt + limits.maxClockAhead)
    return refuse("time_in_future", `time is more than ${limits.maxClockAhead / 1000} s ahead of the receive time`)
  if (time < arrival.receivedAt - limits.maxAge)
    return refuse("too_old", "time is older than the store keeps actions")
  return { ok: true, event, time }
}

const directoryChecks = new Map(
  DIRECTORY_TYPES.map((type) => {
    const schema = Schema.Struct(directoryDataFields[type]) as Schema.Decoder<unknown>
    return [type as string, { schema, is: Schema.is(schema), stray: unknownField(directoryDataFields[type]) }]
  }),
)

/** Reads and checks one directory event. A licence may lie in the future, an upsert or erasure may not. */
export const decodeDirectory = (
  arrival: Arrival,
  limits: Pick<Limits, "maxClockAhead">,
): Decoded<DirectoryEvent> => {
  const opened = open(arrival, isDirectoryType)
  if (!opened.ok) return opened
  const { event } = opened
  const check = directoryChecks.get(event.type)
  if (check === undefined) return refuse("unknown_type", "type is not in the catalogue")
  const stray = check.stray(event.data)
  if (stray !== undefined) return refuse("invalid_event", `data has an unknown field ${JSON.stringify(stray.slice(0, 60))}`)
  if (!check.is(event.data)) return refuse("invalid_event", explain(check.schema, event.data, "data"))
  const time = parseTime(event.time)
  if (!event.type.startsWith("license.") && time > arrival.receivedAt + limits.maxClockAhead)
    return refuse("time_in_future", `time is more than ${limits.maxClockAhead / 1000} s ahead of the receive time`)
  return { ok: true, event: event as unknown as DirectoryEvent, time }
}
