import { Effect } from "effect"
import { Command } from "effect/cli"
import { observing } from "../observing.ts"
import { apiService, untilThere } from "../services.ts"
import { settings } from "./settings.ts"

export const api = Command.make("api", {}, () =>
  Effect.gen(function* () {
    const current = yield* settings
    yield* Effect.gen(function* () {
      const { port } = yield* untilThere(apiService(current))
      yield* Effect.logInfo("the API listens").pipe(Effect.annotateLogs({ host: current.apiHost, port }))
      yield* Effect.never
    }).pipe(Effect.provide(observing(current)))
  }).pipe(Effect.scoped),
).pipe(Command.withDescription("Serve the HTTP API, until told to stop"))
