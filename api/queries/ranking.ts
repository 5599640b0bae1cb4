import { Effect } from "effect"
import { METRICS } from "#schemas/catalogue.ts"
import { type Refused, refuse } from "../http/failure.ts"
import type { Report } from "./report.ts"

/** Where ranking is off nothing may put people in order of what they did. */
export const refuseRanking = ({ settings }: Report): Effect.Effect<void, Refused> =>
  settings.ranking
    ? Effect.void
    : Effect.fail(
        refuse("ranking_off", "The tenant lets nobody rank people.", {
          hint: "Sort by user_id, name, email or last_tracked_activity_at.",
        }),
      )

const RANKING = new Set([...METRICS, "active_days"])

/** A list of users in order of a metric is a ranking. */
export const refuseRankingBy = (report: Report, sort = ""): Effect.Effect<void, Refused> =>
  RANKING.has(sort.replace(/^-/u, "")) ? refuseRanking(report) : Effect.void
