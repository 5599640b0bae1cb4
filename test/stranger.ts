// One tenant that tries to see another: what there is of the other to be named, and what an answer may say of it.
import { randomBytes } from "node:crypto"
import { Effect } from "effect"
import { expect } from "vitest"
import { DEFAULT_SETTINGS } from "#schemas/tenant-settings.ts"
import { changeSettings } from "../api/auth/settings.ts"
import { newTenant, type testApp } from "../api/test-app.ts"
import { completed, type Operation, OPERATIONS, requestOf, type Said } from "./api-operations.ts"
import { makeWorld, type World } from "./api-world.ts"
import { makeExports } from "./make-export.ts"
import { keysOf } from "./stranger-keys.ts"

const salt = randomBytes(4).toString("hex")
/** In every name of the tenant that must not be seen; and of the same form, in none at all. */
const MARK = `zebra${salt}`
const NOBODY = `okapi${salt}`
export const OWN_MARK = `llama${salt}`

/** Of the same form, and not there. Of ids that carry no mark every digit is another one. */
const absent = (value: string): string =>
  value.includes(MARK)
    ? value.replaceAll(MARK, NOBODY)
    : value.replaceAll(/\d/gu, (digit) => String((Number(digit) + 1) % 10))

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/gu

/** What was sent, and what is sent with it: an id without the kind before it. The longest first, as one may hold another. */
const echoes = (sent: ReadonlyArray<string>): ReadonlyArray<string> =>
  sent
    // A short number stands in any answer by chance.
    .filter((value) => !/^\d{1,8}$/u.test(value))
    .flatMap((value) => [value, value.replace(/^key:/u, "")])
    .toSorted((one, other) => other.length - one.length)

/** What of an answer does not depend on when it was asked, nor on which values were sent, as its entity tag does. */
const plain = ({ status, headers, text }: Answer, sent: ReadonlyArray<string>): object => {
  const { "x-request-id": id = "", "content-length": _, date: __, etag: ___, ...others } = headers
  const body = echoes(sent)
    .reduce((rest, value) => rest.replaceAll(value, "<sent>"), text)
    .replaceAll(id, "<id>")
    .replaceAll(TIME, "<time>")
    .replaceAll('"last_used_at":null', '"last_used_at":"<time>"')
  return { status, headers: others, body }
}

export const operation = (name: string): Operation => {
  const found = OPERATIONS.find((candidate) => candidate.name === name)
  if (found === undefined) throw new Error(`there is no ${name}`)
  return found
}

/** Every parameter of the path as the one value. */
export const wholePath = ({ parameters }: Operation, value: string): Readonly<Record<string, string>> =>
  Object.fromEntries(parameters.filter(({ in: place }) => place === "path").map(({ name }) => [name, value]))

/** Parameters of a path, whatever they are called, that name something of the world. */
export const pathOf = ({ ids }: World, { path, parameters }: Operation): Readonly<Record<string, string>> => {
  const known = new Map<string, ReadonlyArray<string>>(Object.entries(ids))
  const usual = path.includes("/exports/")
    ? ids.export_id
    : path.includes("/dead-letters/")
      ? ids.letter_id
      : ids.key_id
  return Object.fromEntries(
    parameters
      .filter(({ in: place }) => place === "path")
      .map(({ name }) => {
        const [id = ""] = known.get(name) ?? known.get(`${name}_id`) ?? usual
        return [name, name === "subject" ? `key:${id}` : id]
      }),
  )
}

/** Two tenants with something of everything, one of which tries to see the other; also with the same ids as the other. */
export const makeStranger = async (testing: ReturnType<typeof testApp>, { haveSameIds = false } = {}) => {
  const sameIds = haveSameIds ? { ids: `twin${salt}` } : {}
  const own = await makeWorld(testing, newTenant(), OWN_MARK, sameIds)
  await makeExports(own.tenant, own.ids.export_id)
  const { app, keys } = await keysOf(own, testing)

  const send = async (called: Operation, says: Said, key?: string): Promise<Answer> => {
    const [address, init] = requestOf(called, says)
    const headers = new Headers(init.headers)
    if (key !== undefined) headers.set("Authorization", `Bearer ${key}`)
    const response = await app.request(address, { ...init, headers })
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      text: await response.text(),
    }
  }

  /** All that a key sees of a world. */
  const everythingOf = async (world: World, key: string): Promise<ReadonlyArray<object>> => {
    const answers: Array<object> = []
    for (const called of OPERATIONS.filter(({ isSecured, method }) => isSecured && method === "GET")) {
      const says = completed(called, { path: pathOf(world, called) })
      answers.push({ name: called.name, ...plain(await send(called, says, key), []) })
    }
    return answers
  }
  const ownBefore: Array<ReadonlyArray<object>> = []
  for (const [, key] of keys) ownBefore.push(await everythingOf(own, key))

  const theirs = await makeWorld(testing, newTenant(), MARK, { ...sameIds, isGreater: true })
  await makeExports(theirs.tenant, theirs.ids.export_id)
  // Not by a call, as the app would remember for a moment what it was before.
  const signals = { ...DEFAULT_SETTINGS.signals, quiet_days: 13 }
  const settings = { ...DEFAULT_SETTINGS, signals, changed_at: new Date().toISOString(), changed_by: "test" }
  await testing.run(changeSettings(theirs.tenant, settings, () => Effect.void))

  const secrets = [MARK, theirs.tenant, ...theirs.ids.key_id, ...theirs.ids.export_id]
  const one = (ids: ReadonlyArray<string>): string => ids[0] ?? ""
  // Ids of dead letters are numbers, which stand in any answer; `test/dead-letters-of-others.test.ts` is about them.
  const { letter_id: _, ...telling } = theirs.ids
  const key = `key:${one(theirs.ids.key_id)}`

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
    const asked = (value: (one: string) => string) => send(called, completed(called, says(value)), key)
    const there = await asked((one) => one)
    expectNothing(there, sent, where)
    const nowhere = await asked(absent)
    // What was made has an id of its own each time.
    if (called.method !== "GET" && there.status < 300) return expect(nowhere.status, where).toBe(there.status)
    expect(plain(there, sent), where).toEqual(plain(nowhere, sent.map(absent)))
  }

  return {
    theirs,
    own,
    keys,
    /** One of each role that sees something, for what would take long with all of them. */
    oneOfEach: keys.filter(([name]) =>
      ["super_admin", "manager's token", "member", "recruiter"].includes(name),
    ),
    /** All that can be named of them. */
    named: [...Object.values(telling).flat(), key, theirs.tenant, `Ana ${MARK}`, MARK],
    /** One of each kind. */
    kinds: [...Object.values(telling).map(one), key, theirs.tenant, MARK],
    /** One of each kind that a path can name. */
    inPaths: [one(theirs.ids.key_id), one(theirs.ids.export_id), key],
    /** What headers of theirs said. */
    sentBefore: [`idempotency-0-${MARK}`, MARK],
    /** What each of the keys saw of its own tenant when there was no other one. */
    ownBefore,
    send,
    everythingOf,
    expectNothing,
    expectAlike,
  }
}
export type Stranger = Awaited<ReturnType<typeof makeStranger>>
