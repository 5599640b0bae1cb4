import { Effect } from "effect"
import { inject } from "vitest"
import { Nats } from "#nats/connection.ts"
import { Publisher } from "#nats/publisher.ts"
import { DEAD_LETTER_HEADERS, deadLetterId } from "#schemas/dead-letter.ts"
import { actionSubject, deadLetterSubject, STREAMS } from "#schemas/names.ts"

/** Sequences that the stream of actions will not reach in a test. */
let sequence = 1_000_000_000 + Math.floor(Math.random() * 1_000_000_000)

/**
 * Two dead letters of a tenant, of messages that would be taken now: their type was in no catalogue then. Their ids have no
 * 9, so that one with every digit raised is the id of none.
 */
export const makeLetters = (tenant: string, mark: string): Promise<ReadonlyArray<string>> =>
  Effect.gen(function* () {
    const { connection } = yield* Nats
    const publisher = Publisher.open(connection)
    const ids: Array<string> = []
    while (ids.length < 2) {
      sequence++
      const event = {
        specversion: "1.0",
        id: `letter-${sequence}`,
        source: "/test",
        type: "note.logged",
        time: new Date(Date.now() - 60_000).toISOString(),
        tenantid: tenant,
        data: { actor_id: "u", actor_type: "member", contact_id: mark, page: mark },
      }
      const { seq } = yield* Effect.promise(() =>
        publisher.publish({
          subject: deadLetterSubject(tenant, "unknown_type"),
          messageId: deadLetterId(STREAMS.actions, sequence),
          payload: Buffer.from(JSON.stringify(event)),
          headers: {
            [DEAD_LETTER_HEADERS.subject]: actionSubject(tenant, "note.logged"),
            [DEAD_LETTER_HEADERS.stream]: STREAMS.actions,
            [DEAD_LETTER_HEADERS.sequence]: String(sequence),
            [DEAD_LETTER_HEADERS.receivedAt]: new Date(Date.now() - 30_000).toISOString(),
            [DEAD_LETTER_HEADERS.reason]: "unknown_type",
            [DEAD_LETTER_HEADERS.detail]: `type is not in the catalogue of ${mark}`,
          },
        }),
      )
      if (!String(seq).includes("9")) ids.push(String(seq))
    }
    yield* Effect.promise(() => publisher.close())
    return ids
  }).pipe(Effect.provide(Nats.layer({ url: inject("natsUrl"), name: "letters" })), Effect.runPromise)
