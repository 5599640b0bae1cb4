import { Effect } from "effect"
import { Command } from "effect/cli"
import { makeWritingMetrics, serveWriterHealth } from "../health-server.ts"
import { observing } from "../observing.ts"
import { clickhouseOf, natsOf, untilThere, writerService } from "../services.ts"
import { settings } from "./settings.ts"

export const writer = Command.make("writer", {}, () =>
  Effect.gen(function* () {
    const current = yield* settings
    const metrics = makeWritingMetrics()
    yield* serveWriterHealth(metrics, current.apiHost, current.writerPort)
    yield* writerService(current, metrics).pipe(
      Effect.provide([clickhouseOf(current, "writer"), natsOf(current, "writer")]),
      untilThere,
      Effect.provide(observing(current)),
    )
  }).pipe(Effect.scoped),
).pipe(Command.withDescription("Write the stream and the directory into the store, until told to stop"))
