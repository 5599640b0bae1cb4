// A candidate's erasure that is killed in the middle, and done again.
import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ClickHouse } from "#clickhouse"
import { deadLetterId } from "#schemas/dead-letter.ts"
import { deadLetterSubject, STREAMS, TABLES } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"
import { forgetBarrier, killWhen } from "./broken-off.ts"
import { tidemark } from "./command-line.ts"
import { holding, rowsOf, tell } from "./erasures.ts"
import { Traffic } from "../faults/traffic.ts"
import { until } from "../faults/until.ts"
import { World } from "../faults/world.ts"
import { metricOf, owns } from "../faults/writers.ts"

const ERASE = ["erase", "--tenant", "d", "--candidate", "k_1", "--mode", "delete", "--yes"]
const NAME = "Zaphodbeeblebrox"

layer(Traffic.layer, { excludeTestServices: true, timeout: "120 seconds" })("an erasure", (it) => {
  it.effect(
    "of a candidate that is killed is ended by doing it again, and others keep what is theirs",
    () =>
      Effect.gen(function* () {
        const { make, send, expected } = yield* Traffic
        const { startWriter, quiet, clickhouseUrl } = yield* World
        const { manager } = yield* Nats
        const store = yield* ClickHouse
        const writer = yield* startWriter()
        yield* until("it owns", owns(writer))
        yield* tell(
          "d",
          "candidate.upserted",
          { candidate_id: "k_1", name: NAME, email: `${NAME}@example.org` },
          TABLES.candidates,
        )
        const events = make("d", 300)
        const sequences = yield* Effect.forEach(
          events,
          ({ message }) => Effect.map(send(message), ({ seq }) => seq),
          {
            concurrency: "unbounded",
          },
        )
        for (const { sent } of events) if (sent.candidate !== "k_1") expected.add(sent)
        const [bad] = make("d", 1)
        if (bad === undefined) throw new Error("no event")
        const { seq: refused } = yield* send({ ...bad.message, payload: Buffer.from('{"half of": "k_1"') })
        yield* quiet
        const others = sequences[events.findIndex(({ sent }) => sent.candidate !== "k_1")] ?? 0
        // A letter of another life of the stream, in which somebody else's message stood under that sequence.
        yield* send({
          subject: deadLetterSubject("d", "invalid_json"),
          messageId: deadLetterId(STREAMS.actions, others, 7),
          payload: Buffer.from('{"another": "k_1"'),
        })
        // A row that a repair took out is masked in its part, which holds nothing else of the candidate.
        yield* store.command(
          `INSERT INTO ${TABLES.actions} SELECT * REPLACE('masked' AS id, 'Trilliansmask' AS page)
           FROM (SELECT * FROM ${TABLES.actions} WHERE tenant = 'd' AND candidate_id = 'k_1' LIMIT 1)
           SETTINGS max_insert_threads = 1`,
        )
        yield* store.command(`DELETE FROM ${TABLES.actions} WHERE page = 'Trilliansmask'`)

        const rows = rowsOf("d", "candidate_id = 'k_1'")
        const before = yield* rows
        expect(before).toBeGreaterThan(200)
        // Raw has let go of the rows, the rollups have not been made right.
        const killed = yield* killWhen(
          ERASE,
          "raw lets go",
          Effect.map(rows, (left) => left === 0),
        )
        expect(killed.out).toBe("")
        expect(yield* holding(STREAMS.actions, '"k_1"')).toBeGreaterThan(0)
        yield* forgetBarrier
        const done = yield* tidemark(ERASE)
        expect([done.code, done.err]).toEqual([0, ""])
        yield* quiet

        expect(yield* expected.differences(true)).toEqual([])
        expect(yield* rowsOf("d", "candidate_id = 'k_1'", TABLES.clientActivity15m)).toBe(0)
        expect(yield* holding(STREAMS.actions, '"k_1"')).toBe(0)
        expect(yield* holding(STREAMS.deadLetters, '"k_1"')).toBe(0)
        expect(yield* holding(STREAMS.directory, NAME)).toBe(0)
        const at = (seq: number) => Effect.promise(() => manager.streams.getMessage(STREAMS.actions, { seq }))
        expect(yield* at(refused)).toBeNull()
        expect(yield* at(others)).not.toBeNull()
        const proof = yield* tidemark(["audit", "--all", "--json"])
        expect([proof.code, JSON.parse(proof.out).differences], proof.out.slice(0, 2000)).toEqual([0, 0])
        expect(yield* metricOf(writer, "tidemark_messages_gone_total")).toBe(0)
        const masked = yield* store
          .query<{ rows: number }>(
            `SELECT count() AS rows FROM ${TABLES.actions} WHERE page = 'Trilliansmask' SETTINGS apply_deleted_mask = 0`,
          )
          .pipe(Effect.provide(ClickHouse.layer({ url: clickhouseUrl, user: "default", password: "" })))
        expect(masked).toEqual([{ rows: 0 }])
      }),
    { timeout: 90_000 },
  )
})
