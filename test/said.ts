import type { Said } from "./api-operations.ts"
import type { World } from "./api-world.ts"
import { loginOf, TARGET, teamOf, WANTED } from "./plain-bodies.ts"

const one = (ids: ReadonlyArray<string>) => ids[0] ?? ""

/** What calls must say that cannot be told from the specification, by operation. `spareKey` is the id of a key that may go. */
export const saidOf = (world: World, spareKey: string): Readonly<Record<string, () => Said>> => ({
  "POST /v1/events": () => ({ body: JSON.stringify(loginOf(world.tenant)) }),
  "POST /v1/events/batch": () => ({ body: JSON.stringify([loginOf(world.tenant)]) }),
  "POST /v1/directory/batch": () => ({ body: JSON.stringify([teamOf(world.tenant)]) }),
  "PUT /v1/targets": () => ({ body: JSON.stringify(TARGET) }),
  "POST /v1/api-keys": () => ({ body: JSON.stringify({ role: "producer" }) }),
  "GET /v1/api-keys/{id}": () => ({ path: { id: one(world.ids.key_id) } }),
  "DELETE /v1/api-keys/{id}": () => ({ path: { id: spareKey } }),
  "GET /v1/grants/{subject}": () => ({ path: { subject: "role:manager" } }),
  "PUT /v1/grants/{subject}": () => ({
    path: { subject: "role:manager" },
    body: JSON.stringify({ rights: ["see_actions"] }),
  }),
  "DELETE /v1/grants/{subject}": () => ({ path: { subject: "role:member" } }),
  "PUT /v1/settings": () => ({ body: "{}" }),
  "POST /v1/exports": () => ({ body: JSON.stringify(WANTED) }),
  "GET /v1/exports/{id}": () => ({ path: { id: one(world.ids.export_id) } }),
  "GET /v1/exports/{id}/download": () => ({ path: { id: one(world.ids.export_id) } }),
  "DELETE /v1/exports/{id}": () => ({ path: { id: one(world.ids.export_id) } }),
  ...Object.fromEntries(
    [
      "GET /v1/dead-letters/{id}",
      "POST /v1/dead-letters/{id}/replay",
      "POST /v1/dead-letters/{id}/discard",
    ].map((name) => [name, () => ({ path: { id: one(world.ids.letter_id) } })]),
  ),
})
