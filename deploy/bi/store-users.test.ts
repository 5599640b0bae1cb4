// The statements that make BI users on a deployed server. The embedded one has no place for users, and says so only
// once a statement is understood and allowed; TEST_TARGET=containers makes the users of all tests by them.
import { Effect } from "effect"
import { expect, it } from "vitest"
import { storeAs } from "../../api/test-app.ts"
import { BI_USERS } from "../../test/bi-users.ts"
import { creating, dropping, listStoreUsers } from "./store-users.ts"
import { codeOf } from "./test-tenants.ts"

const ACCESS = {
  user: "tidemark_access",
  fields: { param_user: "bi_someone", param_password_sha256: "0".repeat(64) },
}
const NO_PLACE = 514
/** What the embedded server says of a user that stands in its file. */
const IN_A_FILE = 495
const [{ user: KNOWN } = { user: "" }] = BI_USERS

it("making a user is understood and allowed", async () => {
  const [quota = "", create = "", grant = ""] = creating(KNOWN, true)
  expect(await codeOf(quota, ACCESS)).toBeOneOf([0, NO_PLACE])
  expect(await codeOf(create, ACCESS)).toBeOneOf([0, NO_PLACE])
  expect(await codeOf(grant, ACCESS)).toBeOneOf([0, IN_A_FILE])
  expect(await codeOf(dropping("bi_someone"), ACCESS)).toBe(0)
})

it("nobody else may do it", async () => {
  for (const user of ["tidemark_migrator", "tidemark_writer", "tidemark_reader"])
    for (const statement of [...creating(KNOWN, true), `DROP USER \`${KNOWN}\``])
      expect([user, statement, await codeOf(statement, { ...ACCESS, user })]).toEqual([
        user,
        statement,
        expect.toBeOneOf([164, 497]),
      ])
})

it("a list has the users with what they see", async () => {
  const listed = await listStoreUsers().pipe(Effect.provide(storeAs("tidemark_access")), Effect.runPromise)
  expect(listed).toEqual(
    expect.arrayContaining(BI_USERS.map(({ user, tenant, names }) => ({ user, tenant, names }))),
  )
})

it("a name of another form is in no statement", () => {
  for (const name of ["tidemark_writer", "bi_a`; DROP", "bi_A", "bi_", "bi_a_b_c"])
    expect(() => creating(name, true)).toThrow("not the name of a BI user")
})
