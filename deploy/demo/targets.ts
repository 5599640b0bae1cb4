import type { DirectoryEvent } from "#schemas/directory-event.ts"

const DAY = 86_400_000

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10)

/** The first day of the week that began so many weeks before the present one. */
const weekStart = (end: number, weeks: number): string => {
  const weekday = (new Date(end).getUTCDay() + 6) % 7
  return dayOf(end - (weekday + weeks * 7) * DAY)
}

type TargetData = Extract<DirectoryEvent, { readonly type: "target.set" }>["data"]

/** What the demo tenant wants of its people: for everyone, a desk, each of a desk and one person, and one change. */
export const makeTargets = (
  end: number,
): ReadonlyArray<{ readonly key: string; readonly data: TargetData }> => {
  const start = "2026-01-01"
  const raised = weekStart(end, 4)
  return [
    {
      key: "everyone.notes",
      data: { metric: "notes_logged", period: "week", scope: "everyone", value: 15, holds_from: start },
    },
    {
      key: `everyone.notes.${raised}`,
      data: { metric: "notes_logged", period: "week", scope: "everyone", value: 20, holds_from: raised },
    },
    {
      key: "everyone.days",
      data: { metric: "active_days", period: "month", scope: "everyone", value: 18, holds_from: start },
    },
    {
      key: "healthcare.inmails",
      data: {
        metric: "inmails_logged",
        period: "week",
        scope: "team_members",
        team_id: "healthcare",
        value: 25,
        holds_from: start,
      },
    },
    {
      key: "engineering.calls",
      data: {
        metric: "phone_calls_logged",
        period: "month",
        scope: "team",
        team_id: "engineering",
        value: 1200,
        holds_from: start,
      },
    },
    {
      key: "u_1.notes",
      data: {
        metric: "notes_logged",
        period: "week",
        scope: "user",
        user_id: "u_1",
        value: 50,
        holds_from: start,
      },
    },
  ].map(({ key, data }) => ({ key, data: { ...data, set_by: "u_1" } as TargetData }))
}
