import type { ClickHouse, ClickHouseError } from "#clickhouse"
import { Clock, Effect } from "effect"
import type { Nats, NatsError } from "#nats/connection.ts"
import { STREAMS } from "#schemas/names.ts"
import { appliedThrough, readStream } from "./freshness.ts"
import { readDirectoryProgress, readStanding } from "./standing.ts"
import { dayAt } from "./target-periods.ts"

/** The tenant's day now, and how far the directory is applied, which holds the targets. */
export interface DirectoryStanding {
  readonly zone: string
  readonly today: string
  readonly dataThrough: number
}

/** Asked before anything is read, so that a list of targets holds at least as much as it says. */
export const readDirectoryStanding = Effect.fn("readDirectoryStanding")(function* (
  tenant: string,
): Effect.fn.Return<DirectoryStanding, ClickHouseError | NatsError, ClickHouse | Nats> {
  const now = yield* Clock.currentTimeMillis
  const { stream, progress, standing } = yield* Effect.all(
    {
      stream: readStream(STREAMS.directory),
      progress: readDirectoryProgress(),
      standing: readStanding(tenant),
    },
    { concurrency: "unbounded" },
  )
  return {
    zone: standing.zone,
    today: dayAt(now, standing.zone),
    dataThrough: yield* appliedThrough(stream, progress.get(stream?.created ?? "") ?? 0, now),
  }
})
