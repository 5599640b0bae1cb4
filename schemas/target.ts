import { Schema } from "effect"
import { METRICS } from "./catalogue.ts"
import { Id, PersonId, text } from "./envelope.ts"
import { DATE } from "./patterns.ts"
import { instantOf } from "./time.ts"

/** What a target can be set for: every metric of the catalogue, and the days on which somebody was active. */
export const TARGET_METRICS: ReadonlyArray<string> = [...METRICS, "active_days"]
export const TARGET_PERIODS = ["week", "month"] as const
export const TARGET_SCOPES = ["user", "team", "team_members", "everyone"] as const
export type TargetPeriod = (typeof TARGET_PERIODS)[number]
export type TargetScope = (typeof TARGET_SCOPES)[number]

const dayExpected = "a calendar day from 2000-01-01 to 2100-12-31"
const isDay = (day: string): boolean =>
  day >= "2000-01-01" && day <= "2100-12-31" && !Number.isNaN(instantOf(`${day}T00:00:00Z`))

export const Day = Schema.String.check(
  Schema.isPattern(DATE, { expected: dayExpected }),
  Schema.makeFilter(isDay, { expected: dayExpected, toJsonSchema: () => ({ format: "date" }) }),
)

const MAX_TARGET = 1_000_000_000

/** What a target says, wherever it is written. */
export const targetFields = {
  metric: Schema.Literals(TARGET_METRICS),
  period: Schema.Literals(TARGET_PERIODS).annotate({
    description: "Weeks begin on Monday, months on the first. It recurs until it is changed.",
  }),
  scope: Schema.Literals(TARGET_SCOPES).annotate({
    description:
      "user: of the one member `user_id`. team: of the sum over the members of `team_id`. team_members: of each member of `team_id`. everyone: of each member. A member's own target goes before that of a team's members, of several teams' the greatest value, and these before everyone's.",
  }),
  user_id: Schema.optionalKey(PersonId),
  team_id: Schema.optionalKey(Id),
  value: Schema.NullOr(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: MAX_TARGET }))).annotate({
    description: "Null: no such target any more, so that the next in line applies. 0 is reached at once.",
  }),
} as const

/** The fields of `data` of `target.set`. */
export const targetEventFields = {
  ...targetFields,
  holds_from: Day.annotate({
    description: "It holds for the weeks or months whose first day is this day or later, until the next one.",
  }),
  set_by: Schema.optionalKey(text(1, 200)),
} as const

/** The id that a scope needs; everyone needs none. */
const ID_OF = { user: "user_id", team: "team_id", team_members: "team_id" } as const

interface Scoped {
  readonly scope: TargetScope
  readonly user_id?: string
  readonly team_id?: string
}

/** A target carries the id that its scope names, and no other. */
export const isScoped = Schema.makeFilter(
  (target: Scoped) => {
    const needed = target.scope === "everyone" ? undefined : ID_OF[target.scope]
    for (const field of ["user_id", "team_id"] as const) {
      const isThere = target[field] !== undefined
      if (isThere !== (field === needed))
        return {
          path: [field],
          issue: isThere
            ? `Leave it out: a target of the scope ${target.scope} has no ${field}`
            : `It is required: a target of the scope ${target.scope} has a ${field}`,
        }
    }
    return undefined
  },
  {
    toJsonSchema: () => ({
      oneOf: TARGET_SCOPES.map((scope) => {
        const needed: string | undefined = scope === "everyone" ? undefined : ID_OF[scope]
        const others = ["user_id", "team_id"].filter((field) => field !== needed)
        return {
          properties: {
            scope: { const: scope },
            ...Object.fromEntries(others.map((field) => [field, false])),
          },
          ...(needed === undefined ? {} : { required: [needed] }),
        }
      }),
    }),
  },
)

/** Whom a target is for, as one id: empty for everyone. */
export const scopeId = ({ user_id, team_id }: Scoped): string => user_id ?? team_id ?? ""
