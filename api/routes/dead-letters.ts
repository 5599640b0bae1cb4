import { Clock, Effect, Schema } from "effect"
import type { Publisher } from "#nats/publisher.ts"
import {
  DeadLetterParameters,
  DeadLetters,
  DeadLettersParameters,
  HandledDeadLetter,
  OneDeadLetter,
} from "#schemas/dead-letters.ts"
import type { Limits } from "#schemas/decode.ts"
import { instantOf } from "#schemas/time.ts"
import { tenantConcerned } from "../auth/tenant-concerned.ts"
import { findLetter, listLetters } from "../dead-letters/letters.ts"
import { discardLetter, replayLetter } from "../dead-letters/replay.ts"
import { rowOf, viewOf } from "../dead-letters/view.ts"
import { ok } from "../http/answer.ts"
import { type Call, type Route, route } from "../http/endpoint.ts"
import { refuse } from "../http/failure.ts"
import { cursors } from "../queries/cursor.ts"

const PATH = "/v1/dead-letters"

interface Sending {
  readonly publisher: Publisher
  readonly limits: Limits
}

const places = cursors(Schema.Struct({ from: Schema.Int }))

const list = route(
  {
    method: "GET",
    path: PATH,
    summary: "Messages that could not be stored, oldest first",
    description: "They are kept for 90 days. Payloads are shown one by one.",
    right: "manage_dead_letters",
    audit: "dead_letters.viewed",
    parameters: DeadLettersParameters,
    answers: { 200: { description: "A page of dead letters.", content: DeadLetters } },
    problems: ["invalid_cursor", "invalid_parameter"],
  },
  Effect.fn("listDeadLetters")(function* ({ parameters, credential }: Call<DeadLettersParameters>) {
    const tenant = yield* tenantConcerned(credential, parameters.tenant)
    const { reason, since, before, state = "open", limit = 50 } = parameters
    const place = yield* places.read(tenant, parameters)
    const { letters, next } = yield* listLetters(
      {
        tenant,
        reason,
        since: since === undefined ? undefined : instantOf(since),
        before: before === undefined ? undefined : instantOf(before),
        all: state === "all",
      },
      { from: place?.from ?? 1, limit },
    )
    const next_cursor = next === undefined ? null : places.write(tenant, parameters, { from: next })
    return { ...ok({ data: letters.map(rowOf), next_cursor }), record: { tenant } }
  }),
)

/** The letter that a call names, of the tenant whom it concerns. */
const named = Effect.fnUntraced(function* ({
  parameters: { id, tenant: asked },
  credential,
}: Call<DeadLetterParameters>) {
  const tenant = yield* tenantConcerned(credential, asked)
  const found = /^[1-9]\d{0,14}$/u.test(id) ? yield* findLetter(tenant, Number(id)) : undefined
  if (found === undefined)
    return yield* refuse("not_found", `There is no dead letter ${id}.`, {
      hint: `GET ${PATH} lists those that there are.`,
    })
  return { tenant, found }
})

const read = (limits: Limits) =>
  route(
    {
      method: "GET",
      path: `${PATH}/:id`,
      summary: "One dead letter, with its payload",
      right: "manage_dead_letters",
      audit: "dead_letters.viewed",
      parameters: DeadLetterParameters,
      answers: { 200: { description: "The dead letter.", content: OneDeadLetter } },
      problems: ["not_found", "invalid_parameter", "names_hidden"],
    },
    Effect.fn("readDeadLetter")(function* (call: Call<DeadLetterParameters>) {
      if (call.credential.settings.hide_names)
        return yield* refuse("names_hidden", "The tenant hides names, and a message may hold some.", {
          hint: "`tidemark dead-letters show` shows it to whoever runs the server.",
        })
      const { tenant, found } = yield* named(call)
      return { ...ok({ data: viewOf(found, limits, yield* Clock.currentTimeMillis) }), record: { tenant } }
    }),
  )

const replay = (sending: Sending) =>
  route(
    {
      method: "POST",
      path: `${PATH}/:id/replay`,
      summary: "Send a dead letter's message once more",
      description:
        "For after a fix: the message is judged again, and one that would be refused again is not sent. It keeps its id, so its event counts once however often it is replayed.",
      right: "manage_dead_letters",
      audit: "dead_letter.replayed",
      parameters: DeadLetterParameters,
      answers: { 200: { description: "The stream has it.", content: HandledDeadLetter } },
      problems: ["not_found", "invalid_parameter", "not_replayable"],
    },
    Effect.fn("replayDeadLetter")(function* (call: Call<DeadLetterParameters>) {
      const { tenant, found } = yield* named(call)
      const fate = yield* replayLetter(found.letter, call.credential.id, sending).pipe(
        Effect.catchTag("NotReplayable", ({ detail }) =>
          Effect.fail(refuse("not_replayable", `The message would not be stored: ${detail}.`)),
        ),
        Effect.catchTag("ReplayFailed", () =>
          Effect.fail(
            refuse(
              "unavailable",
              "The stream did not acknowledge the message; try again.",
              {},
              { "Retry-After": "2" },
            ),
          ),
        ),
      )
      const row = rowOf({ letter: found.letter, fate })
      return { ...ok({ data: row }), record: { tenant, subject: `dead_letter:${row.id}` } }
    }),
  )

const discard = route(
  {
    method: "POST",
    path: `${PATH}/:id/discard`,
    summary: "Say of a dead letter that nothing is to become of it",
    description: "It leaves the list of open ones, and stays where it is for 90 days.",
    right: "manage_dead_letters",
    audit: "dead_letter.discarded",
    parameters: DeadLetterParameters,
    answers: { 200: { description: "It is discarded.", content: HandledDeadLetter } },
    problems: ["not_found", "invalid_parameter"],
  },
  Effect.fn("discardDeadLetter")(function* (call: Call<DeadLetterParameters>) {
    const { tenant, found } = yield* named(call)
    const fate = yield* discardLetter(found.letter, call.credential.id)
    const row = rowOf({ letter: found.letter, fate })
    return { ...ok({ data: row }), record: { tenant, subject: `dead_letter:${row.id}` } }
  }),
)

export const deadLetterRoutes = (sending: Sending): ReadonlyArray<Route> => [
  list,
  read(sending.limits),
  replay(sending),
  discard,
]
