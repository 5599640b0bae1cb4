import { Effect } from "effect"
import { Command } from "effect/cli"
import { serveExporterHealth } from "../health-server.ts"
import { observing } from "../observing.ts"
import { clickhouseOf, exporterService, natsOf, untilThere } from "../services.ts"
import { settings } from "./settings.ts"

export const exporter = Command.make("exporter", {}, () =>
  Effect.gen(function* () {
    const current = yield* settings
    const onAlive = yield* serveExporterHealth(current.apiHost, current.exporterPort)
    yield* exporterService(current, onAlive).pipe(
      Effect.provide([clickhouseOf(current, "exporter"), natsOf(current, "exporter")]),
      untilThere,
      Effect.provide(observing(current)),
    )
  }).pipe(Effect.scoped),
).pipe(Command.withDescription("Make the files of exports, until told to stop"))
