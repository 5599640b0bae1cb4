import { Clock, Effect, Schema } from "effect"
import type { Nats, NatsError } from "#nats/connection.ts"
import { PublishError, type Publisher } from "#nats/publisher.ts"
import { decodeAudit } from "#schemas/decode-audit.ts"
import { decodeAction, decodeDirectory, type Limits } from "#schemas/decode.ts"
import { type Fate, isOpen } from "#schemas/fate.ts"
import { messageId, NO_TENANT, SUBJECTS } from "#schemas/names.ts"
import { EVENT_ID, TENANT } from "#schemas/patterns.ts"
import { changeFate } from "./fates.ts"
import type { Letter } from "./letters.ts"

/** A letter whose replay would only make another dead letter; `detail` says what to do instead. */
export class NotReplayable extends Schema.TaggedError<NotReplayable>()("NotReplayable", {
  id: Schema.Int,
  detail: Schema.String,
}) {
  override get message(): string {
    return `dead letter ${this.id} cannot be replayed: ${this.detail}`
  }
}

/** The letter could not be sent, or its sending was not acknowledged; trying again is safe. */
export class ReplayFailed extends Schema.TaggedError<ReplayFailed>()("ReplayFailed", {
  id: Schema.Int,
  detail: Schema.String,
}) {
  override get message(): string {
    return `dead letter ${this.id} was not replayed: ${this.detail}`
  }
}

interface Route {
  readonly tenant: string
  /** Absent where subjects name none. */
  readonly type?: string
}

/** Tenant and type of the original subject, where it has the form of one. */
const routeOf = ({ subject }: Letter, kind: string): Route | undefined => {
  const [tenant = "", object, verb, ...rest] = subject.slice(kind.length + 1).split(".")
  if (kind === SUBJECTS.audit)
    return object === undefined && (tenant === NO_TENANT || TENANT.test(tenant)) ? { tenant } : undefined
  return TENANT.test(tenant) && object !== undefined && verb !== undefined && rest.length === 0
    ? { tenant, type: `${object}.${verb}` }
    : undefined
}

const eventIdOf = ({ payload }: Letter): string | undefined => {
  try {
    const { id } = JSON.parse(Buffer.from(payload).toString()) as { readonly id?: unknown }
    return typeof id === "string" && EVENT_ID.test(id) ? id : undefined
  } catch {
    return undefined
  }
}

const SEND_ANEW = "send the event anew, as it should have been"

const KINDS = [SUBJECTS.actions, SUBJECTS.directory, SUBJECTS.audit]
/** Replays of one letter that have ids of their own. */
const PER_LETTER = 1000

/** The id under which a letter would be sent for the nth time, or why it would not be taken now. */
const planOf = (letter: Letter, limits: Limits, now: number): ((replays: number) => string) | string => {
  if (letter.reason === "id_conflict")
    return "its id belongs to an event with another time; send it under an id of its own"
  const kind = KINDS.find((prefix) => letter.subject.startsWith(`${prefix}.`))
  if (kind === undefined) return "its subject is of no kind that is stored"
  const route = routeOf(letter, kind)
  const eventId = eventIdOf(letter)
  if (route === undefined || eventId === undefined)
    return `its ${route === undefined ? "subject" : "id"} cannot be read; ${SEND_ANEW}`
  // A replay that was refused is a letter of its own, of the same event: by the letter's id its replays have other
  // ids than those of the first, which the broker would drop for repeats.
  const idOf = (replays: number): string =>
    `${messageId(route.tenant, eventId)}:replay:${letter.id * PER_LETTER + (replays % PER_LETTER)}`
  const decode = kind === SUBJECTS.actions ? decodeAction : decodeDirectory
  const { payload } = letter
  const decoded =
    kind === SUBJECTS.audit
      ? decodeAudit(payload, route.tenant)
      : decode(
          {
            payload,
            tenant: route.tenant,
            type: route.type,
            messageId: idOf(1),
            checkRoute: true,
            receivedAt: now,
          },
          limits,
        )
  return decoded.ok ? idOf : `it would be refused again (${decoded.reason}: ${decoded.detail}); ${SEND_ANEW}`
}

/** Why a letter cannot be replayed at the moment; undefined when it can. */
export const obstacleOf = (letter: Letter, limits: Limits, now: number): string | undefined => {
  const plan = planOf(letter, limits, now)
  return typeof plan === "string" ? plan : undefined
}

/**
 * Sends a dead letter's message once more, with its own id behind which the writer looks up whether the event is stored, so
 * it counts once however often it is replayed. What would be refused again is not sent.
 */
export const replayLetter = Effect.fn("replayLetter")(function* (
  letter: Letter,
  by: string,
  { publisher, limits }: { readonly publisher: Publisher; readonly limits: Limits },
): Effect.fn.Return<Fate | undefined, NotReplayable | ReplayFailed | NatsError, Nats> {
  const plan = planOf(letter, limits, yield* Clock.currentTimeMillis)
  if (typeof plan === "string") return yield* new NotReplayable({ id: letter.id, detail: plan })
  // One that was broken off is sent under the same id again, which the stream then takes once.
  const begun = yield* changeFate(letter, by, (fate) =>
    fate?.fate === "erased"
      ? undefined
      : {
          fate: "replaying",
          replays: fate?.fate === "replaying" ? (fate.replays ?? 1) : (fate?.replays ?? 0) + 1,
        },
  )
  if (begun?.fate !== "replaying") return yield* new NotReplayable({ id: letter.id, detail: "it was erased" })
  const replays = begun.replays ?? 1
  yield* Effect.tryPromise({
    try: () =>
      publisher.publish({ subject: letter.subject, messageId: plan(replays), payload: letter.payload }),
    catch: (error) =>
      new ReplayFailed({
        id: letter.id,
        detail: error instanceof PublishError ? `${error.reason}: ${error.detail}` : String(error),
      }),
  })
  return yield* changeFate(letter, by, (fate) =>
    // Another may have begun anew meanwhile, or erased it.
    fate?.fate === "replaying" && fate.replays === replays ? { fate: "replayed", replays } : undefined,
  )
})

/** Says of a letter that nothing is to become of it; of one that was replayed or erased something did. */
export const discardLetter = (letter: Letter, by: string): Effect.Effect<Fate | undefined, NatsError, Nats> =>
  changeFate(letter, by, (fate) =>
    isOpen(fate) ? { fate: "discarded", replays: fate?.replays ?? 0 } : undefined,
  )
