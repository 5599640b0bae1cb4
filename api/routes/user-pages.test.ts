import { beforeAll, describe, expect, it } from "vitest"
import { expectProblem, newTenant, testApp } from "../test-app.ts"
import { type Action, eraseUsers, putActions, putLicenses, putTenant, putUsers } from "../test-rows.ts"

const { call, keyFor } = testApp()
const USERS = "/v1/reports/user-insights/users"
const OCTOBER = "from=2026-10-01&to=2026-10-31"
const tenant = newTenant()
let key: string

interface Row {
  readonly user_id: string
  readonly name: string | null
  readonly email: string | null
  readonly active_days: number
  readonly last_tracked_activity_at: string | null
  readonly metrics: Readonly<Record<string, number>>
}

const note = (actor_id: string, time: string, quantity = 1): Action => ({
  id: `${actor_id}-${time}`,
  type: "note.logged",
  time,
  actor_id,
  quantity,
})

const IDS = Array.from({ length: 12 }, (_, index) => `u_${index}`)

beforeAll(async () => {
  key = await keyFor(tenant)
  await putTenant(tenant, "UTC")
  // Names and addresses with ties, quotes and what looks like a number, null or SQL.
  const names = ["b", "a", "B", "É", "'; --", "\\N", "null", "10", "9", "", "A", "z"]
  await putUsers(
    tenant,
    Object.fromEntries(IDS.map((id, index) => [id, { name: names[index], email: `${index % 3}@x.org` }])),
  )
  await eraseUsers(tenant, ["u_11"])
  await putLicenses(
    tenant,
    IDS.map((user_id) => ({ user_id, verb: "assigned", time: "2026-01-01T00:00:00.000Z" })),
  )
  await putActions(
    tenant,
    "UTC",
    IDS.flatMap((id, index) =>
      Array.from({ length: index % 4 }, (_, day) =>
        note(id, `2026-10-0${day + 1}T10:00:00.00${index % 3}Z`, (index % 5) + 1),
      ),
    ),
  )
})

const pages = async (query: string, limit: number): Promise<ReadonlyArray<Row>> => {
  const rows: Array<Row> = []
  let cursor: string | null = null
  do {
    const at: string = cursor === null ? "" : `&cursor=${cursor}`
    const { status, body } = await call(`${USERS}?${OCTOBER}&${query}&limit=${limit}${at}`, key)
    expect(status, JSON.stringify(body)).toBe(200)
    expect(body.data.length).toBeLessThanOrEqual(limit)
    rows.push(...body.data)
    cursor = body.next_cursor
  } while (cursor !== null)
  return rows
}

type Value = string | number | null

const bytes = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other))
const compare = (one: Value, other: Value): number =>
  typeof one === "number" && typeof other === "number" ? one - other : bytes(String(one), String(other))

/** What the order should be, nulls last and ties by id whatever the direction. */
const sorted = (
  rows: ReadonlyArray<Row>,
  of: (row: Row) => Value,
  descending: boolean,
): ReadonlyArray<string> =>
  rows
    .toSorted((one, other) => {
      const [a, b] = [of(one), of(other)]
      if (a === null || b === null)
        return Number(a === null) - Number(b === null) || bytes(one.user_id, other.user_id)
      return (descending ? -compare(a, b) : compare(a, b)) || bytes(one.user_id, other.user_id)
    })
    .map(({ user_id }) => user_id)

describe("pages", () => {
  const sorts: ReadonlyArray<readonly [string, (row: Row) => Value]> = [
    ["user_id", (row) => row.user_id],
    ["name", (row) => row.name?.toLowerCase() ?? null],
    ["email", (row) => row.email?.toLowerCase() ?? null],
    ["active_days", (row) => row.active_days],
    ["last_tracked_activity_at", (row) => row.last_tracked_activity_at],
    ["notes_logged", (row) => row.metrics["notes_logged"] ?? 0],
    ["placements", (row) => row.metrics["placements"] ?? 0],
  ]

  it.each(sorts)("sorted by %s hold every row once, in order, either way", async (sort, of) => {
    const all = await pages("", 500)
    expect(all).toHaveLength(12)
    for (const [parameter, descending] of [
      [sort, false],
      [`-${sort}`, true],
    ] as const) {
      const rows = await pages(`sort=${parameter}`, 5)
      expect(rows.map(({ user_id }) => user_id)).toEqual(sorted(all, of, descending))
      expect(new Map(rows.map((row) => [row.user_id, row]))).toEqual(
        new Map(all.map((row) => [row.user_id, row])),
      )
    }
  })

  it("by id do not shift while rows arrive", async () => {
    const first = await call(`${USERS}?${OCTOBER}&limit=4`, key)
    await putUsers(tenant, { u_00: {} })
    await putLicenses(tenant, [{ user_id: "u_00", verb: "assigned", time: "2026-01-01T00:00:00.000Z" }])
    const second = await call(`${USERS}?${OCTOBER}&limit=500&cursor=${first.body.next_cursor}`, key)
    const ids = [...first.body.data, ...second.body.data].map((row: Row) => row.user_id)
    expect(ids).toEqual(IDS.toSorted())
  })

  it("hold those of a licence's state, and the active or the others, alone", async () => {
    const own = newTenant()
    const ownKey = await keyFor(own)
    await putTenant(own, "UTC")
    await putUsers(own, { u_live: {}, u_off: {}, u_gone: {}, u_none: {} })
    const at = <Verb extends "assigned" | "deleted" | "disabled">(
      user_id: string,
      verb: Verb,
      day: string,
    ) => ({
      user_id,
      verb,
      time: `2026-${day}T00:00:00.000Z`,
    })
    await putLicenses(own, [
      ...["u_live", "u_off", "u_gone"].map((user) => at(user, "assigned", "01-01")),
      at("u_off", "disabled", "10-20"),
      at("u_gone", "deleted", "10-20"),
    ])
    await putActions(own, "UTC", [
      note("u_off", "2026-10-02T10:00:00.000Z"),
      note("u_none", "2026-10-02T10:00:00.000Z"),
    ])
    const idsOf = async (query: string) => {
      const { status, body } = await call(`${USERS}?${OCTOBER}&${query}`, ownKey)
      expect(status, JSON.stringify(body)).toBe(200)
      return body.data.map(({ user_id }: Row) => user_id)
    }
    expect(await idsOf("license_status=live")).toEqual(["u_live"])
    expect(await idsOf("license_status=deleted&license_status=none")).toEqual(["u_gone", "u_none"])
    expect(await idsOf("active=true")).toEqual(["u_none", "u_off"])
    expect(await idsOf("active=false&sort=-name")).toEqual(["u_live", "u_gone"])
    expect(await idsOf("active=true&license_status=disabled&limit=1")).toEqual(["u_off"])
    expectProblem(await call(`${USERS}?${OCTOBER}&active=maybe`, ownKey), "invalid_parameter", 400)
  })

  it("are of fifty when nothing is asked", async () => {
    const { body } = await call(`${USERS}?${OCTOBER}`, key)
    expect(body.next_cursor).toBeNull()
  })
})

describe("a cursor", () => {
  const cursorOf = async (query = ""): Promise<string> =>
    (await call(`${USERS}?${OCTOBER}&limit=2&${query}`, key)).body.next_cursor

  it("goes with another limit, and with lists in another order", async () => {
    const cursor = await cursorOf("user_id=u_1&user_id=u_2&user_id=u_3")
    const got = await call(
      `${USERS}?${OCTOBER}&limit=9&user_id=u_3&user_id=u_2&user_id=u_1&cursor=${cursor}`,
      key,
    )
    expect(got.status).toBe(200)
    expect(got.body.data).toHaveLength(1)
  })

  it("goes with no other list", async () => {
    const cursor = await cursorOf()
    for (const query of [
      `${OCTOBER}&user_id=u_1`,
      `${OCTOBER}&sort=name`,
      `${OCTOBER}&tz=UTC`,
      "from=2026-10-02&to=2026-10-31",
    ])
      expectProblem(await call(`${USERS}?${query}&cursor=${cursor}`, key), "invalid_cursor", 400)
    const other = await keyFor(newTenant())
    expectProblem(await call(`${USERS}?${OCTOBER}&cursor=${cursor}`, other), "invalid_cursor", 400)
    expectProblem(await call(`/v1/actions?${OCTOBER}&cursor=${cursor}`, key), "invalid_cursor", 400)
  })

  it("that was made up is refused, never sent to the store", async () => {
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
    const { of } = JSON.parse(Buffer.from(await cursorOf("sort=active_days"), "base64url").toString())
    const madeUp = [
      "nonsense",
      "%00",
      encode(null),
      encode({ of }),
      encode({ of, at: { value: "DROP", id: "u" } }),
      encode({ of, at: { value: 1.5, id: "u" } }),
      encode({ of, at: { value: 1, id: 7 } }),
      encode({ of, at: { value: [1], id: "u" } }),
      "x".repeat(8001),
    ]
    for (const cursor of madeUp)
      expectProblem(
        await call(`${USERS}?${OCTOBER}&sort=active_days&cursor=${cursor}`, key),
        "invalid_cursor",
        400,
      )
    const times = JSON.parse(
      Buffer.from(await cursorOf("sort=-last_tracked_activity_at"), "base64url").toString(),
    ).of
    for (const value of ["2026", "2026-99-99T10:00:00.000Z", 5]) {
      const cursor = encode({ of: times, at: { value, id: "u" } })
      expectProblem(
        await call(`${USERS}?${OCTOBER}&sort=-last_tracked_activity_at&cursor=${cursor}`, key),
        "invalid_cursor",
        400,
      )
    }
  })
})
