import { Effect, Layer, Logger, Schedule } from "effect"
import { inject } from "vitest"
import { Nats } from "#nats/connection.ts"
import { findJob } from "../api/exports/jobs.ts"
import { natsFiles } from "../api/exports/nats-files.ts"
import { lines } from "../api/exports/test-exporter.ts"
import { runExporter } from "../api/exports/worker.ts"
import { storeAs } from "../api/test-app.ts"

/** Has exports made that were asked for, with some lines for a file. */
export const makeExports = (tenant: string, ids: ReadonlyArray<string>): Promise<void> =>
  Effect.gen(function* () {
    const files = natsFiles(yield* Nats)
    const worker = runExporter({
      files,
      ttl: 3_600_000,
      lease: 5000,
      concurrency: 1,
      perTenant: 1,
      render: lines(10),
    })
    const completed = Effect.forEach(ids, (id) =>
      findJob(tenant, id).pipe(
        Effect.filterOrFail((job) => job?.record.state === "completed"),
        Effect.retry(Schedule.spaced("50 millis").pipe(Schedule.upTo({ times: 600 }))),
      ),
    )
    yield* Effect.raceFirst(Effect.asVoid(completed), worker)
  }).pipe(
    Effect.provide(
      Layer.mergeAll(
        storeAs("tidemark_exporter"),
        Nats.layer({ url: inject("natsUrl"), name: "export" }),
        Logger.layer([]),
      ),
    ),
    Effect.runPromise,
  )
