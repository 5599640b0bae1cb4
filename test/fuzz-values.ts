// Values for the fuzz: what a parameter takes, and what breaks those who are careless with it.
import * as fc from "fast-check"
import type { Json, Parameter } from "./api-operations.ts"
import type { World } from "./api-world.ts"

/** Texts that break those who are careless with them. */
const HOSTILE = [
  "",
  " ",
  "0",
  "-1",
  "1e309",
  "NaN",
  "Infinity",
  "9007199254740993",
  "99999999999999999999999999999999999999",
  "null",
  "undefined",
  "true",
  "[]",
  "{}",
  "__proto__",
  "constructor",
  "'",
  "' OR 1=1 --",
  "'; DROP TABLE tidemark.actions; --",
  "\\' UNION ALL SELECT 1",
  "{tenant:String}",
  "%",
  "_%",
  "../../etc/passwd",
  "%2e%2e%2f",
  "$JS.API.STREAM.PURGE.ACTIONS",
  "*",
  ">",
  "a.b.c",
  "\u0000",
  "a\u0000b",
  "\r\nX-Injected: 1",
  "\uD800",
  "\uFEFF",
  "\u202Etxt",
  "ﬁ",
  "İ",
  "😀".repeat(50),
  "x".repeat(9000),
  '=HYPERLINK("http://x")',
  "<script>alert(1)</script>",
  "2026-02-30",
  "0000-00-00",
  "2026-13-01",
  "9999-12-31",
  "1969-12-31",
  "2026-10-31",
  "2026-10-01T00:00:00Z",
  "20261001",
  "+002026-10-01",
  "UTC",
  "Europe/Berlin",
  "Asia/Kathmandu",
  "America/St_Johns",
  "Mars/Olympus",
  "GMT+25",
] as const

const day = fc
  .integer({ min: Date.parse("1999-12-01") / 86_400_000, max: Date.parse("2101-02-01") / 86_400_000 })
  .map((days) => new Date(days * 86_400_000).toISOString().slice(0, 10))
export const text = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...HOSTILE) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 400 }) },
  { weight: 1, arbitrary: day },
)

const SUBJECTS = ["role:manager", "role:member", "role:recruiter", "role:producer", "role:nobody"]

/** A value that the parameter takes. */
export const good = (
  { ids, tenant }: World,
  { name, schema }: Pick<Parameter, "name" | "schema">,
): fc.Arbitrary<string> => {
  const items = (schema["items"] ?? schema) as Json
  const values = items["enum"] as ReadonlyArray<string> | undefined
  if (values !== undefined) return fc.constantFrom(...values)
  if (name === "from") return fc.constantFrom("2026-10-01", "2026-10-02", "2025-01-01")
  if (name === "to") return fc.constantFrom("2026-10-31", "2026-10-20", "2026-10-31")
  if (name === "tz") return fc.constantFrom("UTC", "Asia/Kathmandu", "Pacific/Chatham", "America/St_Johns")
  if (name === "tenant") return fc.constant(tenant)
  if (name === "subject") return fc.constantFrom(...SUBJECTS, ...ids.key_id.map((id) => `key:${id}`))
  if (items["type"] === "integer") return fc.integer({ min: 1, max: 100 }).map(String)
  const known = Object.entries(ids).find(([kind]) => kind === name)?.[1] ?? [...ids.key_id, ...ids.export_id]
  return fc.constantFrom("fuzzed", ...known)
}

/** Mostly what is taken, so that a call comes past the first check; now and then anything. */
export const value = (world: World, parameter: Pick<Parameter, "name" | "schema">): fc.Arbitrary<string> =>
  fc.oneof({ weight: 6, arbitrary: good(world, parameter) }, { weight: 1, arbitrary: text })
