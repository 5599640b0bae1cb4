import { Clock, Effect } from "effect"
import { type Message, PublishError, type Publisher } from "#nats/publisher.ts"
import { decodeAction, decodeDirectory, type Limits } from "#schemas/decode.ts"
import { actionSubject, directorySubject, messageId } from "#schemas/names.ts"
import { EVENT_ID } from "#schemas/patterns.ts"
import { type ProblemCode, PROBLEM_CODES } from "#schemas/problem.ts"
import type { Refusal } from "#schemas/refusal.ts"

/** How one kind of event is judged and where it goes. */
export interface Intake {
  readonly decode: typeof decodeAction | typeof decodeDirectory
  readonly subject: (tenant: string, type: string) => string
}

export const ACTIONS: Intake = { decode: decodeAction, subject: actionSubject }
export const DIRECTORY: Intake = { decode: decodeDirectory, subject: directorySubject }

export interface Rejection {
  readonly id: string | null
  readonly code: ProblemCode
  readonly detail: string
}

export type Judged =
  | { readonly ok: true; readonly id: string; readonly tenant: string; readonly message: Message }
  | ({ readonly ok: false } & Rejection)

/** The id of a refused event, when it has one that can be shown. */
const idOf = (payload: Uint8Array): string | null => {
  try {
    const { id } = JSON.parse(Buffer.from(payload).toString()) as { id?: unknown }
    return typeof id === "string" && EVENT_ID.test(id) ? id : null
  } catch {
    return null
  }
}

const codeOf = ({ reason }: Refusal): ProblemCode =>
  PROBLEM_CODES.find((code) => code === reason) ?? "invalid_event"

/** Judges events as the writer will, so that what is acknowledged here is not dead-lettered there. */
export const judge = (
  { decode, subject }: Intake,
  payloads: ReadonlyArray<Uint8Array>,
  tenant: string | undefined,
  limits: Limits,
): Effect.Effect<ReadonlyArray<Judged>> =>
  Effect.map(Clock.currentTimeMillis, (receivedAt) =>
    payloads.map((payload): Judged => {
      const decoded = decode(
        { payload, tenant, type: undefined, messageId: undefined, checkRoute: false, receivedAt },
        limits,
      )
      if (!decoded.ok) return { ok: false, id: idOf(payload), code: codeOf(decoded), detail: decoded.detail }
      const { id, type, tenantid } = decoded.event
      return {
        ok: true,
        id,
        tenant: tenantid,
        message: { subject: subject(tenantid, type), messageId: messageId(tenantid, id), payload },
      }
    }),
  )

/** Publishes the original bytes; true for each that the stream held already. Sending again after a failure is safe. */
export const publish = (
  publisher: Publisher,
  messages: ReadonlyArray<Message>,
): Effect.Effect<ReadonlyArray<boolean>, PublishError> =>
  Effect.tryPromise({
    try: async () => {
      const outcomes = await Promise.allSettled(messages.map((message) => publisher.publish(message)))
      return outcomes.map((outcome) => {
        if (outcome.status === "rejected") throw outcome.reason
        return outcome.value.duplicate
      })
    },
    catch: (cause) => (cause instanceof PublishError ? cause : new PublishError("rejected", String(cause))),
  })
