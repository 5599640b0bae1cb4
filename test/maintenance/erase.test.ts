// Erasures on engines of their own, through the command, with a writer that runs.
import { execFileSync } from "node:child_process"
import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ClickHouse } from "#clickhouse"
import { STREAMS, TABLES } from "#schemas/names.ts"
import { tidemark } from "./command-line.ts"
import { holding, introduce, rowsOf } from "./erasures.ts"
import { type Tenant, Traffic } from "../faults/traffic.ts"
import { until } from "../faults/until.ts"
import { World } from "../faults/world.ts"
import { owns } from "../faults/writers.ts"

const sumOf = (table: string, tenant: Tenant, condition = "1") =>
  Effect.flatMap(ClickHouse, (store) =>
    store.query<{ events: number }>(
      `SELECT sum(events) AS events FROM ${table} WHERE tenant = {tenant:String} AND ${condition}`,
      { params: { tenant } },
    ),
  ).pipe(Effect.map((rows) => rows[0]?.events ?? 0))

layer(Traffic.layer, { excludeTestServices: true, timeout: "120 seconds" })("an erasure", (it) => {
  it.effect(
    "by deletion leaves the person nowhere, others as they were, and keeps out what is sent again",
    () =>
      Effect.gen(function* () {
        const { publish, make, send, publishForgotten } = yield* Traffic
        const { startWriter, quiet, clickhouseUrl } = yield* World
        const writer = yield* startWriter()
        yield* until("it owns", owns(writer))
        yield* introduce("a", "u_1", "Zanzibarowski")
        yield* introduce("a", "u_3", "Vladivostokson")
        const events = yield* publish("a", 200)
        yield* publish("b", 50)
        const [bad] = make("a", 1)
        if (bad === undefined) throw new Error("no event")
        yield* send({ ...bad.message, payload: Buffer.from('{"half of": "u_1"') })
        yield* quiet
        const before = yield* sumOf(TABLES.activity15m, "a")
        const looked = yield* tidemark(["erase", "--tenant", "a", "--user", "u_1", "--mode", "delete"])
        expect(looked.out).toContain("Raw has 50 events of user u_1 of a")
        expect(yield* rowsOf("a")).toBe(200)

        const done = yield* tidemark(["erase", "--tenant", "a", "--user", "u_1", "--mode", "delete", "--yes"])
        expect(done.err).toBe("")
        expect(done.out).toContain("50 rows deleted")
        yield* quiet
        const left = events.map(({ sent }) => sent).filter(({ actor }) => actor !== "u_1")
        expect(yield* rowsOf("a")).toBe(left.length)
        expect(yield* rowsOf("a", "actor_id = 'u_1'")).toBe(0)
        expect(yield* sumOf(TABLES.activity15m, "a")).toBe(
          left.filter(({ actorType }) => actorType === "member").length,
        )
        expect(before).toBeGreaterThan(yield* sumOf(TABLES.activity15m, "a"))
        const store = yield* ClickHouse
        for (const table of [TABLES.activity15m, TABLES.activityDaily])
          expect(yield* store.query(`SELECT 1 FROM ${table} WHERE tenant = 'a' AND user_id = 'u_1'`)).toEqual(
            [],
          )
        expect(yield* holding(STREAMS.actions, '"u_1"')).toBe(
          // Another tenant's user of that id is somebody else.
          yield* rowsOf("b", "actor_id = 'u_1'"),
        )
        expect(yield* holding(STREAMS.deadLetters, '"u_1"')).toBe(0)
        // What says that the person was erased is all that the directory keeps, in its stream and its tables.
        expect(yield* holding(STREAMS.directory, "Zanzibarowski")).toBe(0)
        expect(yield* holding(STREAMS.directory, '"u_1"')).toBe(1)
        expect(yield* rowsOf("a", "user_id = 'u_1'", TABLES.licenseEvents)).toBe(0)
        expect(yield* rowsOf("a", "scope_id = 'u_1'", TABLES.targets)).toBe(0)
        expect(yield* rowsOf("a", "user_id = 'u_1' AND record.kind != ''", TABLES.users)).toBe(0)
        expect(yield* rowsOf("a", "user_id = 'u_1' AND personal.erased", TABLES.users)).toBe(1)

        // Sent once more, when the broker has forgotten it: not stored, and no dead letter.
        const again = events.find(({ sent }) => sent.actor === "u_1")
        if (again === undefined) throw new Error("no event")
        yield* publishForgotten(again.message)
        yield* quiet
        expect(yield* rowsOf("a", "actor_id = 'u_1'")).toBe(0)
        expect(yield* holding(STREAMS.deadLetters, '"u_1"')).toBe(0)
        const proof = yield* tidemark(["audit", "--all", "--json"])
        expect([proof.code, JSON.parse(proof.out).differences], proof.out.slice(0, 2000)).toEqual([0, 0])
        const replayed = yield* tidemark(["replay", "--json"])
        expect(JSON.parse(replayed.out).added).toBe(0)

        // A store that was put back from a copy of before: it holds the rows and knows of no erasure.
        yield* store.command(
          `INSERT INTO ${TABLES.actions} SELECT * REPLACE('u_1' AS actor_id, 'copy' AS id)
           FROM (SELECT * FROM ${TABLES.actions} WHERE tenant = 'a' LIMIT 1)`,
        )
        yield* store.command(`TRUNCATE TABLE ${TABLES.erasures}`)
        yield* startWriter()
        writer.process.kill("SIGKILL")
        yield* until(
          "it is carried out again",
          Effect.map(rowsOf("a", "actor_id = 'u_1'"), (rows) => rows === 0),
        )
        // Parts that were replaced leave the disk later; what is active holds the name no more.
        const parts = yield* Effect.flatMap(ClickHouse, (all) =>
          all.query<{ path: string }>(
            "SELECT path AS path FROM system.parts WHERE database = 'tidemark' AND active",
          ),
        ).pipe(Effect.provide(ClickHouse.layer({ url: clickhouseUrl, user: "default", password: "" })))
        expect(parts.length).toBeGreaterThan(5)
        const isIn = (name: string) => (path: string) => {
          try {
            return execFileSync("grep", ["-rlaF", name, path]).length > 0
          } catch {
            return false
          }
        }
        const paths = parts.map(({ path }) => path)
        // The look finds who was not erased.
        expect(paths.some(isIn("Vladivostokson"))).toBe(true)
        expect(paths.filter(isIn("Zanzibarowski"))).toEqual([])
      }),
    { timeout: 90_000 },
  )

  it.effect(
    "by pseudonym takes the name away everywhere and changes no number",
    () =>
      Effect.gen(function* () {
        const { publish } = yield* Traffic
        const { startWriter, quiet } = yield* World
        yield* startWriter()
        yield* introduce("c", "u_2", "Quetzalcoatlova")
        yield* publish("c", 40)
        yield* quiet
        const before = [yield* rowsOf("c"), yield* sumOf(TABLES.activity15m, "c")]
        const done = yield* tidemark(["erase", "--tenant", "c", "--user", "u_2", "--yes"])
        expect(done.err).toBe("")
        yield* quiet
        expect([yield* rowsOf("c"), yield* sumOf(TABLES.activity15m, "c")]).toEqual(before)
        expect(yield* holding(STREAMS.directory, "Quetzalcoatlova")).toBe(0)
        const store = yield* ClickHouse
        // Kind and teams stay, also for a directory that is made anew from its stream.
        expect(
          yield* store.query(
            `SELECT max(record).kind AS kind, max(record).team_ids AS teams, max(personal).name AS name, max(personal).erased AS erased
             FROM ${TABLES.users} WHERE tenant = 'c' AND user_id = 'u_2'`,
          ),
        ).toEqual([{ kind: "member", teams: ["t_1"], name: "", erased: true }])
        expect(yield* holding(STREAMS.directory, '"kind":"member","name":"Erased"')).toBe(1)
        expect(yield* holding(STREAMS.directory, '"type":"license.assigned"')).toBe(2)
        expect(yield* holding(STREAMS.directory, '"type":"target.set"')).toBe(2)
        const listed = yield* tidemark(["erase", "--tenant", "c", "--list"])
        expect(JSON.parse(listed.out)).toMatchObject({ mode: "pseudonymise", events: 0 })
        expect((yield* tidemark(["erase", "--tenant", "c", "--yes"])).err).toContain(
          "say either --user or --candidate",
        )
      }),
    { timeout: 90_000 },
  )
})
