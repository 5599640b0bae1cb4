import { userInfo } from "node:os"
import { Clock, Console, Effect, Option, Schema } from "effect"
import { Command, Argument, Flag } from "effect/cli"
import type { AuditAction } from "#schemas/audit.ts"
import { Tenant } from "#schemas/envelope.ts"
import { NO_TENANT } from "#schemas/names.ts"
import { REFUSAL_REASONS } from "#schemas/refusal.ts"
import { Nats } from "#nats/connection.ts"
import { Publisher } from "#nats/publisher.ts"
import {
  findLetter,
  type Handled,
  lastLetter,
  type LetterFilter,
  listLetters,
} from "../../api/dead-letters/letters.ts"
import { discardLetter, replayLetter } from "../../api/dead-letters/replay.ts"
import { rowOf, viewOf } from "../../api/dead-letters/view.ts"
import { MAX_ACTION_AGE } from "../../pipeline/writer/open-writer.ts"
import { natsOf, topologyOf } from "../services.ts"
import { many } from "./many.ts"
import { fitting } from "./fitting.ts"
import { onRecord } from "./on-record.ts"
import { instantsOf } from "./range-flags.ts"
import { settings } from "./settings.ts"

/** What was asked for is not there, or was not said. */
class DeadLettersError extends Schema.TaggedError<DeadLettersError>()("DeadLettersError", {
  detail: Schema.String,
}) {
  override get message(): string {
    return `dead-letters: ${this.detail}`
  }
}

const filterFlags = {
  tenant: Flag.String("tenant").pipe(
    Flag.withDescription("Of this tenant alone; _ for messages whose subject names none"),
    fitting(Schema.Union([Schema.Literal(NO_TENANT), Tenant])),
    Flag.optional,
  ),
  reason: Flag.Literals("reason", REFUSAL_REASONS).pipe(
    Flag.withDescription("Of this reason alone"),
    Flag.optional,
  ),
  stream: Flag.String("stream").pipe(
    Flag.withDescription("Of this stream alone: ACTIONS, DIRECTORY, AUDIT"),
    Flag.optional,
  ),
  from: Flag.String("from").pipe(
    Flag.withDescription("Refused since: a UTC day, or a time (RFC 3339)"),
    Flag.optional,
  ),
  to: Flag.String("to").pipe(Flag.withDescription("Refused before, likewise"), Flag.optional),
}
const ids = Argument.Int("id").pipe(
  Argument.withDescription("Ids, as `dead-letters list` has them"),
  Argument.variadic(),
)
const json = Flag.Boolean("json").pipe(
  Flag.withDescription("One JSON object a line"),
  Flag.withDefault(false),
)

interface Filter {
  readonly tenant: Option.Option<string>
  readonly reason: Option.Option<(typeof REFUSAL_REASONS)[number]>
  readonly stream: Option.Option<string>
  readonly from: Option.Option<string>
  readonly to: Option.Option<string>
}

const isFiltered = ({ tenant, reason, stream, from, to }: Filter): boolean =>
  [tenant, reason, stream, from, to].some(Option.isSome)

const filterOf = Effect.fnUntraced(function* (asked: Filter, all: boolean) {
  return {
    ...(yield* instantsOf(asked)),
    tenant: Option.getOrUndefined(asked.tenant),
    reason: Option.getOrUndefined(asked.reason),
    stream: Option.getOrUndefined(asked.stream),
    all,
  } satisfies LetterFilter
})

const PAGE = 200

/** Does something with each letter of a filter, page by page. */
const forEachOf = Effect.fnUntraced(function* <E, R>(
  filter: LetterFilter,
  most: number,
  work: (handled: Handled) => Effect.Effect<void, E, R>,
) {
  // What is replayed and refused again is not replayed once more.
  const upTo = yield* lastLetter
  let from: number | undefined = 1
  let done = 0
  while (from !== undefined && done < most) {
    const page: Effect.Success<ReturnType<typeof listLetters>> = yield* listLetters(
      { ...filter, upTo },
      {
        from,
        limit: Math.min(PAGE, most - done),
      },
    )
    for (const handled of page.letters) yield* work(handled)
    done += page.letters.length
    from = page.next
  }
  return done
})

const atBroker = Effect.fnUntraced(function* <A, E, R>(work: Effect.Effect<A, E, R>) {
  const current = yield* settings
  return yield* topologyOf(current, "other").pipe(
    Effect.andThen(work),
    Effect.provide(natsOf(current, "dead-letters")),
  )
})

const list = Command.make(
  "list",
  {
    ...filterFlags,
    all: Flag.Boolean("all").pipe(
      Flag.withDescription("Also those that were replayed or discarded"),
      Flag.withDefault(false),
    ),
    limit: Flag.Int("limit").pipe(
      Flag.withDescription("At most so many; 100 when absent"),
      Flag.withDefault(100),
    ),
    json,
  },
  ({ all, limit, json: asJson, ...asked }) =>
    Effect.gen(function* () {
      const filter = yield* filterOf(asked, all)
      const shown = yield* forEachOf(filter, limit, (handled) => {
        const row = rowOf(handled)
        return Console.log(
          asJson
            ? JSON.stringify({ ...row, tenant: handled.letter.tenant })
            : [row.id, row.refused_at, handled.letter.tenant, row.reason, row.state, row.detail].join("  "),
        )
      })
      if (shown === 0 && !asJson) yield* Console.log("There are none.")
      if (shown === limit && !asJson) yield* Console.error(`The first ${shown}; --limit shows more.`)
    }).pipe(atBroker),
).pipe(Command.withDescription("Messages that could not be stored: id, when, tenant, reason, state, why"))

const found = Effect.fnUntraced(function* (id: number) {
  const letter = yield* findLetter(undefined, id)
  return letter ?? (yield* new DeadLettersError({ detail: `there is no dead letter ${id}` }))
})

const limitsOf = Effect.map(settings, ({ maxClockAhead }) => ({ maxClockAhead, maxAge: MAX_ACTION_AGE }))

const show = Command.make("show", { id: Argument.Int("id"), json }, ({ id, json: asJson }) =>
  Effect.gen(function* () {
    const handled = yield* found(id)
    const { payload, payload_base64, ...rest } = viewOf(
      handled,
      yield* limitsOf,
      yield* Clock.currentTimeMillis,
    )
    if (asJson)
      return yield* Console.log(
        JSON.stringify({ ...rest, payload, payload_base64, tenant: handled.letter.tenant }),
      )
    const lines = Object.entries({ tenant: handled.letter.tenant, ...rest }).filter(
      ([, value]) => value !== null,
    )
    for (const [name, value] of lines) yield* Console.log(`${name.padEnd(12)} ${value}`)
    yield* Console.log(`\n${payload ?? `${payload_base64}  (base64: it is no text)`}`)
  }).pipe(atBroker),
).pipe(
  Command.withDescription(
    "One of them: payload, reason, where it stood, what became of it, whether a replay helps",
  ),
)

const BY = Effect.sync(() => userInfo().username)

/** Does something with the letters that are named, or with all open ones that a filter names. */
const handle = (
  verb: "replay" | "discard",
  action: AuditAction,
  said: string,
  act: (handled: Handled) => Effect.Effect<unknown, { readonly message: string }, Nats>,
) =>
  Effect.fnUntraced(function* (named: ReadonlyArray<number>, asked: Filter) {
    if (named.length === 0 && !isFiltered(asked))
      return yield* new DeadLettersError({ detail: `name ids, or a filter such as --reason unknown_type` })
    let done = 0
    let failed = 0
    const one = (handled: Handled) =>
      act(handled).pipe(
        Effect.tap(() =>
          onRecord({
            tenant: handled.letter.tenant || NO_TENANT,
            action,
            command: `dead-letters ${verb}`,
            subject: `dead_letter:${handled.letter.id}`,
          }),
        ),
        Effect.tap(() => Effect.sync(() => done++)),
        Effect.catch((error) =>
          Effect.andThen(
            Effect.sync(() => failed++),
            Console.error(error.message),
          ),
        ),
        Effect.asVoid,
      )
    for (const id of named) yield* one(yield* found(id))
    if (named.length === 0)
      yield* forEachOf(yield* filterOf(asked, false), Number.MAX_SAFE_INTEGER, (handled) =>
        one(handled).pipe(
          Effect.tap(() => (done > 0 && done % 1000 === 0 ? Console.error(`${done} so far`) : Effect.void)),
        ),
      )
    yield* Console.log(`${many(done, "dead letter")} ${said}${failed > 0 ? `, ${failed} not` : ""}.`)
    if (failed > 0)
      return yield* new DeadLettersError({ detail: `${failed} could not be ${said}; the reasons are above` })
  })

const replay = Command.make("replay", { ids, ...filterFlags }, ({ ids: named, ...asked }) =>
  Effect.gen(function* () {
    const { connection } = yield* Nats
    const publisher = yield* Effect.acquireRelease(
      Effect.sync(() => Publisher.open(connection)),
      (open) => Effect.promise(() => open.close()),
    )
    const sending = { publisher, limits: yield* limitsOf }
    const by = yield* BY
    const act = handle("replay", "dead_letter.replayed", "replayed", ({ letter }) =>
      replayLetter(letter, by, sending),
    )
    yield* act(named, asked)
  }).pipe(Effect.scoped, atBroker),
).pipe(
  Command.withDescription(
    "Send them once more after a fix; each event counts once, and what would be refused again is not sent",
  ),
)

const discard = Command.make("discard", { ids, ...filterFlags }, ({ ids: named, ...asked }) =>
  Effect.gen(function* () {
    const by = yield* BY
    const act = handle("discard", "dead_letter.discarded", "discarded", ({ letter }) =>
      discardLetter(letter, by),
    )
    yield* act(named, asked)
  }).pipe(atBroker),
).pipe(
  Command.withDescription(
    "Say of them that nothing is to become of them; they stay where they are for 90 days",
  ),
)

export const deadLettersCommand = Command.make("dead-letters").pipe(
  Command.withDescription("Messages that could not be stored"),
  Command.withSubcommands([list, show, replay, discard]),
)
