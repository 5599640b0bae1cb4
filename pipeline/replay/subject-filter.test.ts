import { expect, it } from "vitest"
import { matchesSubject } from "./subject-filter.ts"

it.each([
  ["actions.v1.>", "actions.v1.acme.note.logged", true],
  ["actions.v1.acme.>", "actions.v1.acme.note.logged", true],
  ["actions.v1.acme.>", "actions.v1.acme2.note.logged", false],
  ["actions.v1.acme.>", "actions.v1.acme", false],
  ["actions.v1.*.note.*", "actions.v1.acme.note.logged", true],
  ["actions.v1.*.note", "actions.v1.acme.note.logged", false],
  ["actions.v1.acme.note.logged", "actions.v1.acme.note.logged", true],
  ["actions.v1.acme.note.logged.x", "actions.v1.acme.note.logged", false],
  [">", "actions.v1.acme.note.logged", true],
  ["*", "actions.v1", false],
])("%s and %s: %s", (filter, subject, matches) => {
  expect(matchesSubject(filter, subject)).toBe(matches)
})
