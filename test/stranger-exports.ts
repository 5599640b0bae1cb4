// Files of exports, made as a worker makes them: with a filter that names another tenant's they hold nothing of it.
import { expect } from "vitest"
import { findJob } from "../api/exports/jobs.ts"
import type { renderer } from "../api/exports/test-render.ts"
import type { testApp } from "../api/test-app.ts"
import { RANGE } from "./api-world.ts"
import { bodiesOf, leavesOf } from "./api-bodies.ts"
import { operation, OWN_MARK, type Stranger } from "./stranger.ts"

type Render = ReturnType<typeof renderer>["file"]

const FORMAT = { format: "ndjson", ...RANGE } as const

/** Both reports without a filter, and with each that there is. */
const requestsOf = ({ own, theirs, named }: Stranger): ReadonlyArray<object> => {
  const create = operation("POST /v1/exports")
  const ids = new Map<string, ReadonlyArray<string>>(Object.entries(theirs.ids))
  return bodiesOf(create, own).flatMap((body) => {
    const { report } = body as { readonly report: string }
    const filters = leavesOf(create.body, body).filter(({ schema }) => schema["type"] === "array")
    return [
      { report, ...FORMAT },
      ...filters.map(({ place: [filter = ""] }) => ({
        report,
        ...FORMAT,
        [filter]: ids.get(filter) ?? named,
      })),
    ]
  })
}

/** Asks for every export with a key of every role and renders the file of each that is taken; gives how many rows they have. */
export const expectOwnFiles = async (
  stranger: Stranger,
  { run }: Pick<ReturnType<typeof testApp>, "run">,
  render: Render,
): Promise<ReadonlyMap<string, number>> => {
  const { own, oneOfEach, send, expectNothing } = stranger
  const rows = new Map<string, number>()
  for (const [name, key] of oneOfEach)
    for (const request of requestsOf(stranger)) {
      const where = `${name} ${JSON.stringify(request)}`
      const { status, text } = await send(
        operation("POST /v1/exports"),
        { body: JSON.stringify(request) },
        key,
      )
      if (status === 403) continue
      expect(status, `${where} ${text}`).toBe(202)
      const { id } = JSON.parse(text).data
      const job = await run(findJob(own.tenant, id))
      expect(job?.record.snapshot.tenant, where).toBe(own.tenant)
      if (job === undefined) continue
      const file = await render(job.record.request, job.record.snapshot)
      const made = file.bytes.toString()
      expectNothing({ status, headers: {}, text: made }, [], where)
      if (file.rows > 0) expect(made, where).toContain(OWN_MARK)
      // Nobody here has their e-mail addresses, not even who has an id of theirs.
      if ("user_email" in request) expect(file.rows, where).toBe(0)
      rows.set(where, file.rows)
      // A tenant may have so many exports under way and no more.
      await send(operation("DELETE /v1/exports/{id}"), { path: { id } }, own.key)
    }
  return rows
}
