import { describe, expect, it } from "vitest"
import { Ajv2020 } from "ajv/dist/2020.js"
import { actionEvent, arrivalOf, directoryEvent } from "../test/arrival.ts"
import { mutations, STRANGE } from "../test/mutations.ts"
import { CATALOGUE } from "./catalogue.ts"
import { decodeAction, decodeDirectory } from "./decode.ts"
import { actionEventSchema, directoryEventSchema } from "./json-schema.ts"

const validator = (schema: object) =>
  new Ajv2020({ validateFormats: false, strictRequired: false }).compile(schema)

/** What the decoder says of a value that came in over HTTP, at any time. */
const ANY_TIME = { maxClockAhead: Infinity, maxAge: Infinity }
const arrival = (value: unknown) =>
  arrivalOf({}, { payload: Buffer.from(JSON.stringify(value)), checkRoute: false, tenant: undefined })

/** What no JSON Schema can say: that a day, a zone exist. */
const isBeyondJsonSchema = (detail: string) =>
  /^time: Expected a (day and time that exist|time from 1970 to 2199)$/u.test(detail) ||
  detail === "data.time_zone: Expected the name of an IANA time zone"

const REFERENCES = { client_id: "c", candidate_id: "k", contact_id: "p", job_id: "j", page: "x" }
const actions = CATALOGUE.actions.flatMap(({ type }) => [
  actionEvent({ type }),
  actionEvent({ type }, { ...REFERENCES, quantity: 5, properties: { a: 1 } }),
])
const directory = [
  directoryEvent("tenant.upserted", { name: "Acme", time_zone: "Europe/Amsterdam", contract_months: 12 }),
  directoryEvent("user.upserted", { user_id: "u", kind: "member", name: "J", email: "", team_ids: ["t"] }),
  directoryEvent("license.assigned", { user_id: "u" }),
  directoryEvent("job.upserted", { job_id: "j", title: "T", client_id: "c", status: "open" }),
]

describe.each([
  ["action-event", actionEventSchema, (value: unknown) => decodeAction(arrival(value), ANY_TIME), actions],
  [
    "directory-event",
    directoryEventSchema,
    (value: unknown) => decodeDirectory(arrival(value), ANY_TIME),
    directory,
  ],
] as const)("the JSON Schema of %s", (_, schema, decode, events) => {
  const validate = validator(schema)
  const values: ReadonlyArray<unknown> = [
    ...events,
    ...events.flatMap((event, index) => mutations(event, index)),
    ...STRANGE,
    { ...events[0], type: "espresso.brewed" },
  ]

  it("takes what the decoder takes", () => {
    const taken = values.filter((value) => decode(value).ok)
    expect(taken.length).toBeGreaterThanOrEqual(events.length)
    expect(taken.filter((value) => !validate(value))).toEqual([])
  })
  it("refuses what the decoder refuses, but for days and zones that do not exist", () => {
    const refused = values.flatMap((value) => {
      const decoded = decode(value)
      return decoded.ok || isBeyondJsonSchema(decoded.detail) ? [] : [value]
    })
    expect(refused.length).toBeGreaterThan(50)
    expect(refused.filter((value) => validate(value))).toEqual([])
  })
})
