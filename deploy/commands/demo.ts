import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Console, Effect, Fiber, Schedule } from "effect"
import { Command } from "effect/cli"
import { createKey } from "../../api/auth/keys.ts"
import { actionSubject, directorySubject, messageId } from "#schemas/names.ts"
import { Nats } from "#nats/connection.ts"
import { Publisher } from "#nats/publisher.ts"
import { makeActivity } from "../demo/activity.ts"
import { askForExport, examples } from "../demo/examples.ts"
import { DEMO_TENANT, makePeople } from "../demo/people.ts"
import { observing } from "../observing.ts"
import { natsOf, wholeStack } from "../services.ts"
import type { Settings } from "../settings.ts"
import { places } from "./dev.ts"
import { settings } from "./settings.ts"

/** Publishes the demo tenant through the stream, as any producer would. A second run repeats it, and nothing doubles. */
const publishDemo = Effect.gen(function* () {
  const { connection } = yield* Nats
  const now = Date.now()
  const people = makePeople(now)
  const activity = makeActivity(people, now)
  yield* Effect.promise(async () => {
    const publisher = Publisher.open(connection)
    const send = (subject: string, event: { readonly id: string }) =>
      publisher.publish({
        subject,
        messageId: messageId(DEMO_TENANT, event.id),
        payload: Buffer.from(JSON.stringify(event)),
      })
    await Promise.all(people.events.map((event) => send(directorySubject(DEMO_TENANT, event.type), event)))
    await Promise.all(activity.map((event) => send(actionSubject(DEMO_TENANT, event.type), event)))
    await publisher.close()
  })
  return { directory: people.events.length, actions: activity.length }
})

/** A super admin's key of the demo tenant, made once for a data directory. */
const demoKey = (current: Settings) =>
  Effect.gen(function* () {
    const file = join(current.dataDir, "demo-key")
    if (existsSync(file)) return readFileSync(file, "utf8").trim()
    const key = yield* createKey({ tenant: DEMO_TENANT, role: "super_admin", name: "demo" })
    writeFileSync(file, `${key}\n`, { mode: 0o600 })
    return key
  })

interface Summary {
  readonly meta: { readonly data_through: string }
}

/** Resolves when the report answers for everything that was published before `since`. */
const awaitReport = (url: string, key: string, since: number) =>
  Effect.promise(async () => {
    const answer = await fetch(url, { headers: { authorization: `Bearer ${key}` } })
    if (!answer.ok) return false
    const { meta } = (await answer.json()) as Summary
    return Date.parse(meta.data_through) >= since
  }).pipe(
    Effect.repeat({ until: (isThere) => isThere, schedule: Schedule.spaced("200 millis") }),
    Effect.timeout("60 seconds"),
  )

const DAY = 86_400_000
/** The examples are about the second of the two months, so that there is one before it. */
const SHOWN_DAYS = 31

const day = (time: number): string => new Date(time).toISOString().slice(0, 10)

export const demo = Command.make("demo", {}, () =>
  Effect.gen(function* () {
    const current = yield* settings
    yield* Effect.gen(function* () {
      yield* Console.log("Starting the engines, the writer and the API …")
      const writing = yield* wholeStack(current)
      const [published, key] = yield* Effect.all([publishDemo, demoKey(current)]).pipe(
        Effect.provide(natsOf(current, "demo")),
      )
      const now = Date.now()
      const api = `http://${current.apiHost}:${current.apiPort}`
      const range = `from=${day(now - (SHOWN_DAYS - 1) * DAY)}&to=${day(now)}`
      yield* awaitReport(`${api}/v1/reports/user-insights/summary?${range}`, key, now)
      yield* askForExport(api, key, range)
      yield* Console.log(
        [
          `Published ${published.actions} actions and ${published.directory} directory events of tenant ${DEMO_TENANT} through the stream.`,
          "",
          places(current),
          "",
          "Paste the first line, then any of the others:",
          "",
          ...examples(api, key, range),
          "",
          "Ctrl-C stops everything.",
        ].join("\n"),
      )
      yield* Fiber.join(writing)
    }).pipe(Effect.provide(observing(current)))
  }).pipe(Effect.scoped),
).pipe(Command.withDescription("The same as dev, with a demo tenant's two months of activity"))
