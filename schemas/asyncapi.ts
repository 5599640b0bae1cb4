import { JsonSchema } from "effect"
import { DEAD_LETTER_HEADERS } from "./dead-letter.ts"
import { actionEventSchema, deadLetterSchema, directoryEventSchema } from "./json-schema.ts"
import { actionSubject, deadLetterSubject, directorySubject } from "./names.ts"
import { EVENT_ID, TENANT } from "./patterns.ts"
import { REFUSAL_REASONS } from "./refusal.ts"
import { SENT_ON_HEADER } from "./sent-on.ts"

type Document = JsonSchema.JsonSchema

const body = (pattern: RegExp): string => pattern.source.replace(/^\^|\$$/gu, "")

/** AsyncAPI's tools know JSON Schema up to draft 7 for certain. */
const payload = (schema: Document): Document => ({
  schemaFormat: "application/schema+json;version=draft-07",
  schema: JsonSchema.toDocumentDraft07(JsonSchema.fromSchemaDraft2020_12(schema)).schema,
})

const parameters = {
  tenant: { description: `Matches ${TENANT.source}.` },
  object: { description: "The first part of the event's type." },
  verb: { description: "The second part of the event's type." },
  reason: {
    description: "Why it could not be stored: the first reason that applies.",
    enum: REFUSAL_REASONS,
  },
} as const

const eventHeaders = {
  type: "object",
  required: ["Nats-Msg-Id"],
  properties: {
    "Nats-Msg-Id": {
      type: "string",
      pattern: `^${body(TENANT)}:${body(EVENT_ID)}(?::replay:\\d+)?$`,
      description:
        "<tenant>:<id>, what the broker drops repeats by; a replayed dead letter carries <tenant>:<id>:replay:<n>.",
    },
  },
}

const letterProperties = deadLetterSchema["properties"] as Record<string, Document>
const letterHeaders = {
  type: "object",
  required: ["Nats-Msg-Id", ...Object.values(DEAD_LETTER_HEADERS)],
  properties: {
    "Nats-Msg-Id": {
      type: "string",
      pattern: "^dead:[A-Z0-9_]+:\\d+$",
      description: "dead:<stream>:<sequence>",
    },
    [DEAD_LETTER_HEADERS.subject]: letterProperties["subject"],
    [DEAD_LETTER_HEADERS.stream]: letterProperties["stream"],
    [DEAD_LETTER_HEADERS.sequence]: {
      type: "string",
      pattern: "^\\d+$",
      description: letterProperties["sequence"]?.["description"],
    },
    [DEAD_LETTER_HEADERS.receivedAt]: letterProperties["received_at"],
    [DEAD_LETTER_HEADERS.reason]: letterProperties["reason"],
    [DEAD_LETTER_HEADERS.detail]: letterProperties["detail"],
    [SENT_ON_HEADER]: {
      type: "string",
      description:
        "Of an event that was sent on from another stream of actions: where it stood before, <stream>:<generation>:<sequence>:<milliseconds since 1970>, first to last.",
    },
  },
}

const channel = (address: string, message: string, names: ReadonlyArray<keyof typeof parameters>) => ({
  address,
  parameters: Object.fromEntries(names.map((name) => [name, parameters[name]])),
  messages: { [message]: { $ref: `#/components/messages/${message}` } },
})

/** What flows through NATS, as an AsyncAPI 3.0 document made from the schemas. */
export const asyncApi = (version: string): Document => ({
  asyncapi: "3.0.0",
  info: {
    title: "Tidemark",
    version,
    description:
      "User actions and the directory go in, messages that could not be stored come out, all over NATS JetStream.",
    license: { name: "MIT" },
  },
  defaultContentType: "application/cloudevents+json",
  channels: {
    actions: channel(actionSubject("{tenant}", "{object}.{verb}"), "actionEvent", [
      "tenant",
      "object",
      "verb",
    ]),
    directory: channel(directorySubject("{tenant}", "{object}.{verb}"), "directoryEvent", [
      "tenant",
      "object",
      "verb",
    ]),
    deadLetters: channel(deadLetterSubject("{tenant}", "{reason}"), "deadLetter", ["tenant", "reason"]),
  },
  operations: {
    storeAction: { action: "receive", channel: { $ref: "#/channels/actions" } },
    applyDirectory: { action: "receive", channel: { $ref: "#/channels/directory" } },
    reportDeadLetter: { action: "send", channel: { $ref: "#/channels/deadLetters" } },
  },
  components: {
    messages: {
      actionEvent: { title: "Action event", headers: eventHeaders, payload: payload(actionEventSchema) },
      directoryEvent: {
        title: "Directory event",
        headers: eventHeaders,
        payload: payload(directoryEventSchema),
      },
      deadLetter: {
        title: "Dead letter",
        description: "The payload is the original message's, byte for byte.",
        contentType: "application/octet-stream",
        headers: letterHeaders,
      },
    },
  },
})
