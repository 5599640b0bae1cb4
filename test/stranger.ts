// One tenant that tries to see another: what there is of the other to be named, and what an answer may say of it.
import { randomBytes } from "node:crypto"
import { expect } from "vitest"
import { newTenant, type testApp } from "../api/test-app.ts"
import { completed, type Operation, OPERATIONS, requestOf, type Said } from "./api-operations.ts"
import { makeWorld, type World } from "./api-world.ts"
import { makeExports } from "./make-export.ts"

const salt = randomBytes(4).toString("hex")
/** In every id and name of the tenant that must not be seen; and of the same form, in none at all. */
const MARK = `zebra${salt}`
const NOBODY = `okapi${salt}`

/** Of the same form, and not there. Of ids that carry no mark every digit is another one. */
const absent = (value: string): string =>
  value.includes(MARK)
    ? value.replaceAll(MARK, NOBODY)
    : value.replaceAll(/\d/gu, (digit) => String((Number(digit) + 1) % 10))

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/gu

/** What was sent, and what is sent with it: an id without the kind before it. The longest first, as one may hold another. */
const echoes = (sent: ReadonlyArray<string>): ReadonlyArray<string> =>
  sent
    .flatMap((value) => [value, value.replace(/^key:/u, "")])
    .toSorted((one, other) => other.length - one.length)

/** What of an answer does not depend on when it was asked, nor on which values were sent, as its entity tag does. */
export const plain = ({ status, headers, text }: Answer, sent: ReadonlyArray<string>): object => {
  const { "x-request-id": id = "", "content-length": _, date: __, etag: ___, ...others } = headers
  const body = echoes(sent)
    .reduce((rest, value) => rest.replaceAll(value, "<sent>"), text)
    .replaceAll(id, "<id>")
    .replaceAll(TIME, "<time>")
  return { status, headers: others, body }
}

export const operation = (name: string): Operation => {
  const found = OPERATIONS.find((candidate) => candidate.name === name)
  if (found === undefined) throw new Error(`there is no ${name}`)
  return found
}

/** Keys of a tenant's roles, each granted all that can be. */
const keysOf = async (
  { tenant, key }: World,
  keyFor: ReturnType<typeof testApp>["keyFor"],
  send: (called: Operation, says: Said, key: string) => Promise<Answer>,
) => {
  const RIGHTS = {
    manager: ["see_insights", "see_actions", "export"],
    member: ["see_insights", "see_actions", "export"],
    recruiter: ["see_clients", "see_actions", "export"],
  }
  for (const [role, rights] of Object.entries(RIGHTS))
    await send(
      operation("PUT /v1/grants/{subject}"),
      { path: { subject: `role:${role}` }, body: JSON.stringify({ rights }) },
      key,
    )
  const others = await Promise.all(
    (["manager", "member", "recruiter", "producer"] as const).map(
      async (role) => [role, await keyFor(tenant, role)] as const,
    ),
  )
  return [["super_admin", key] as const, ...others]
}

/** Two tenants with something of everything, one of which tries to see the other. */
export const makeStranger = async (testing: ReturnType<typeof testApp>) => {
  const send = async (called: Operation, says: Said, key: string): Promise<Answer> => {
    const [address, init] = requestOf(called, says)
    const headers = new Headers(init.headers)
    headers.set("Authorization", `Bearer ${key}`)
    const response = await testing.app().request(address, { ...init, headers })
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      text: await response.text(),
    }
  }
  const theirs = await makeWorld(testing, newTenant(), MARK)
  const own = await makeWorld(testing, newTenant(), `llama${salt}`)
  await makeExports(theirs.tenant, theirs.ids.export_id)
  const keys = await keysOf(own, testing.keyFor, send)
  const secrets = [MARK, theirs.tenant, ...theirs.ids.key_id, ...theirs.ids.export_id]
  const named = [
    ...Object.values(theirs.ids).flat(),
    ...theirs.ids.key_id.map((id) => `key:${id}`),
    `Ana ${MARK}`,
    MARK,
  ]

  /** Nothing of theirs is in the answer, but for what was sent and is said again. */
  const expectNothing = ({ headers, text }: Answer, sent: ReadonlyArray<string>, where: string): void => {
    const said = echoes(sent).reduce(
      (rest, value) => rest.replaceAll(value, ""),
      JSON.stringify(headers) + text,
    )
    expect(
      secrets.filter((secret) => said.includes(secret)),
      `${where}: ${said.slice(0, 500)}`,
    ).toEqual([])
  }

  /** Both answers are the same, whether what is named is theirs or nobody's. */
  const expectAlike = async (
    called: Operation,
    key: string,
    says: (value: (one: string) => string) => Said,
    sent: ReadonlyArray<string>,
    where: string,
  ): Promise<void> => {
    const there = await send(
      called,
      completed(
        called,
        says((one) => one),
      ),
      key,
    )
    expectNothing(there, sent, where)
    const nowhere = await send(called, completed(called, says(absent)), key)
    // What was made has an id of its own each time.
    if (called.method !== "GET" && there.status < 300) return expect(nowhere.status, where).toBe(there.status)
    expect(plain(there, sent), where).toEqual(plain(nowhere, sent.map(absent)))
  }

  /** Parameters of a path, whatever they are called, that name things of one of the two. */
  const pathOf = ({ ids }: World, { path }: Operation) => ({
    id: (path.includes("/exports/") ? ids.export_id : ids.key_id)[0] ?? "",
    subject: `key:${ids.key_id[0] ?? ""}`,
  })

  return {
    theirs,
    own,
    keys,
    named,
    /** One of each kind that a path can name. */
    ids: [theirs.ids.key_id[0] ?? "", theirs.ids.export_id[0] ?? "", `key:${theirs.ids.key_id[0] ?? ""}`],
    /** What headers of theirs said. */
    sentBefore: [`idempotency-0-${MARK}`, MARK],
    send,
    expectNothing,
    expectAlike,
    pathOf,
  }
}
