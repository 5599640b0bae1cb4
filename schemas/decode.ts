import "./compile.ts"
import { Schema } from "effect"
import { actionDataFields, ActionEvent } from "./action-event.ts"
import { ACTION_BY_TYPE } from "./catalogue.ts"
import { DIRECTORY_TYPES, directoryDataFields, DirectoryEvent, directoryEventOf } from "./directory-event.ts"
import { unknownField } from "./envelope.ts"
import { parseJson } from "./json.ts"
import { messageId as messageIdOf } from "./names.ts"
import { EVENT_ID, TENANT } from "./patterns.ts"
import type { Refusal, RefusalReason } from "./refusal.ts"
import { instantOf } from "./time.ts"

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
  /** When it was received for the first time, by which its age is judged; absent: then. */
  readonly firstReceivedAt?: number
}

/** Durations in milliseconds. */
export interface Limits {
  readonly maxClockAhead: number
  /** How far back of the time when it was first received an action may lie. */
  readonly maxAge: number
}

export type Decoded<Event> =
  | { readonly ok: true; readonly event: Event; readonly time: number }
  | ({ readonly ok: false } & Refusal)

const refuse = (reason: RefusalReason, detail: string) => ({ ok: false, reason, detail }) as const

/** Why a value does not fit, in words. Only for refusals: it is slow. The value itself is left out, it may be private. */
const explain = (schema: Schema.Decoder<unknown>, value: unknown): string => {
  const standard = Schema.toStandardSchemaV1(schema)["~standard"].validate(value)
  if (standard instanceof Promise || standard.issues === undefined) return "not a valid event"
  const issue = standard.issues[0]
  const path = (issue?.path ?? []).map((part) => String(typeof part === "object" ? part.key : part))
  return `${path.join(".") || "the event"}: ${(issue?.message ?? "is not valid").replace(/, got .*$/su, "")}`
}

const refuseField = (field: string) =>
  refuse("invalid_event", `data has an unknown field ${JSON.stringify(field.slice(0, 60))}`)

type Attributes = Readonly<Record<string, unknown>>

/** A replayed dead letter comes with `<tenant>:<id>:replay:<n>`. */
const REPLAY_SUFFIX = /:replay:\d+$/u

/** True for the message id of a replayed dead letter, which is always looked up. */
export const isReplay = (messageId: string): boolean =>
  messageId.includes(":replay:") && REPLAY_SUFFIX.test(messageId)

const checkMessageId = ({ messageId, tenant }: Arrival, id: unknown): Refusal | undefined => {
  if (messageId === undefined) return refuse("missing_message_id", "the header Nats-Msg-Id is absent")
  if (typeof id === "string" && tenant !== undefined && messageId === messageIdOf(tenant, id))
    return undefined
  const plain = isReplay(messageId) ? messageId.replace(REPLAY_SUFFIX, "") : messageId
  const colon = plain.indexOf(":")
  const [sender, sent] = [plain.slice(0, Math.max(colon, 0)), plain.slice(colon + 1)]
  const fits =
    (tenant === undefined ? TENANT.test(sender) : sender === tenant) &&
    (typeof id === "string" && EVENT_ID.test(id) ? sent === id : EVENT_ID.test(sent))
  return fits
    ? undefined
    : refuse("missing_message_id", "the header Nats-Msg-Id is not <tenant>:<id> of this event")
}

const checkRoute = (arrival: Arrival, event: Attributes): Refusal | undefined => {
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

type Opened<Known> =
  | {
      readonly ok: true
      readonly value: unknown
      /** What is known of the type; undefined when the value has none. */
      readonly known: Known | undefined
    }
  | ({ readonly ok: false } & Refusal)

/** What precedes a look at the fields, for actions and directory events alike: size, JSON, route, known type. */
const open = <Known>(arrival: Arrival, types: ReadonlyMap<string, Known>): Opened<Known> => {
  if (arrival.payload.byteLength > MAX_EVENT_BYTES)
    return refuse(
      "too_large",
      `the message has ${arrival.payload.byteLength} bytes, more than ${MAX_EVENT_BYTES}`,
    )
  const parsed = parseJson(arrival.payload)
  if (!parsed.ok) return refuse("invalid_json", parsed.detail)
  const { value } = parsed
  const event: Attributes =
    typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Attributes) : {}
  const refusal =
    (arrival.checkRoute ? checkMessageId(arrival, event["id"]) : undefined) ?? checkRoute(arrival, event)
  if (refusal !== undefined) return { ok: false, ...refusal }
  const type = event["type"]
  const known = typeof type === "string" ? types.get(type) : undefined
  if (typeof type === "string" && known === undefined)
    return refuse("unknown_type", "type is not in the catalogue")
  return { ok: true, value, known }
}

const refuseFuture = (limits: Pick<Limits, "maxClockAhead">) =>
  refuse("time_in_future", `time is more than ${limits.maxClockAhead / 1000} s ahead of the receive time`)

const isAction = Schema.is(ActionEvent)
const unknownActionField = unknownField(actionDataFields)

/** Reads and checks one action event. The result's `time` is in milliseconds since 1970. */
export const decodeAction = (arrival: Arrival, limits: Limits): Decoded<ActionEvent> => {
  const opened = open(arrival, ACTION_BY_TYPE)
  if (!opened.ok) return opened
  const event = opened.value
  if (!isAction(event)) return refuse("invalid_event", explain(ActionEvent, event))
  const stray = unknownActionField(event.data)
  if (stray !== undefined) return refuseField(stray)
  for (const reference of opened.known?.requires ?? [])
    if (event.data[reference] === undefined)
      return refuse("missing_reference", `${event.type} needs data.${reference}`)
  const time = instantOf(event.time)
  if (time > arrival.receivedAt + limits.maxClockAhead) return refuseFuture(limits)
  if (time < (arrival.firstReceivedAt ?? arrival.receivedAt) - limits.maxAge)
    return refuse("too_old", "time is older than the store keeps actions")
  return { ok: true, event, time }
}

const directoryChecks = new Map(
  DIRECTORY_TYPES.map((type) => {
    const schema = directoryEventOf(type) as Schema.Decoder<DirectoryEvent>
    return [
      type as string,
      { schema, is: Schema.is(schema), unknownField: unknownField(directoryDataFields[type]) },
    ]
  }),
)

/** What the directory's tables can hold; their greatest time stands for an erasure. */
const DIRECTORY_TIMES = { from: Date.UTC(1970, 0), until: Date.UTC(2200, 0) } as const

/** Reads and checks one directory event. A licence may lie in the future, an upsert or erasure may not. */
export const decodeDirectory = (
  arrival: Arrival,
  limits: Pick<Limits, "maxClockAhead">,
): Decoded<DirectoryEvent> => {
  const opened = open(arrival, directoryChecks)
  if (!opened.ok) return opened
  const { known: check, value: event } = opened
  if (check === undefined) return refuse("invalid_event", explain(DirectoryEvent, event))
  if (!check.is(event)) return refuse("invalid_event", explain(check.schema, event))
  const stray = check.unknownField(event.data)
  if (stray !== undefined) return refuseField(stray)
  const time = instantOf(event.time)
  if (time < DIRECTORY_TIMES.from || time >= DIRECTORY_TIMES.until)
    return refuse("invalid_event", "time: Expected a time from 1970 to 2199")
  if (!event.type.startsWith("license.") && time > arrival.receivedAt + limits.maxClockAhead)
    return refuseFuture(limits)
  return { ok: true, event, time }
}
