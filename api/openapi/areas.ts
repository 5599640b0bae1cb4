/** What an operation is about, by the beginning of its path: the tags of the specification, in their order. */
const AREAS = [
  {
    name: "Events",
    description: "Sending what was done, and what the ids mean; the catalogue of actions.",
    paths: ["/v1/events", "/v1/directory", "/v1/catalog"],
  },
  {
    name: "User insights",
    description: "Reports over members: licences, activity, teams, rankings, adoption.",
    paths: [
      "/v1/reports/user-insights",
      "/v1/reports/leaderboard",
      "/v1/reports/adoption",
      "/v1/reports/licenses",
    ],
  },
  {
    name: "Clients",
    description: "How far clients come with their jobs, signals to check, and the action log.",
    paths: ["/v1/reports/client-engagement", "/v1/signals", "/v1/actions"],
  },
  {
    name: "Targets",
    description: "What is to be reached by week or month, and how far it is reached.",
    paths: ["/v1/targets", "/v1/reports/targets"],
  },
  { name: "Exports", description: "Reports as files, made in the background.", paths: ["/v1/exports"] },
  {
    name: "Administration",
    description:
      "Keys, grants, settings, who did what, how right the numbers are, and what could not be stored.",
    paths: [
      "/v1/api-keys",
      "/v1/grants",
      "/v1/settings",
      "/v1/audit-log",
      "/v1/data-quality",
      "/v1/dead-letters",
    ],
  },
  {
    name: "Operations",
    description: "For whoever runs the server; open to everybody who reaches it.",
    paths: ["/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"],
  },
] as const

export const TAGS: ReadonlyArray<{ readonly name: string; readonly description: string }> = AREAS.map(
  ({ name, description }) => ({ name, description }),
)

/** The area of a path; each has one. */
export const areaOf = (path: string): string => {
  const found = AREAS.find(({ paths }) =>
    paths.some((start) => path === start || path.startsWith(`${start}/`)),
  )
  if (found === undefined) throw new Error(`${path} belongs to no area of api/openapi/areas.ts`)
  return found.name
}
