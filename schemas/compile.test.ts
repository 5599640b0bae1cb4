// The compiled schemas say what the interpreted ones say: of generated events, and of each of them with one thing
// changed.
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { expect, it } from "@effect/vitest"
import { Arbitrary, Effect, type Schema } from "effect"
import { mutations, STRANGE } from "../test/mutations.ts"
import { SCHEMAS } from "../test/verdicts.ts"

interface Judged {
  readonly built: number
  readonly verdicts: ReadonlyArray<Record<keyof typeof SCHEMAS, { readonly is: boolean }>>
}

const judge = (values: ReadonlyArray<unknown>, ...mode: ReadonlyArray<string>): Judged => {
  const script = join(import.meta.dirname, "..", "test", "verdicts.ts")
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, ...mode], {
    input: JSON.stringify(values),
    encoding: "utf8",
    maxBuffer: 512 * 1024 * 1024,
  })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as Judged
}

const sample = (schema: Schema.Constraint) =>
  Arbitrary.sampleEffect(Arbitrary.schema(schema), {
    count: 60,
    size: 5,
    seed: "tidemark",
    maxDiscards: 100_000,
  })

it.live("compiled and interpreted schemas agree", () =>
  Effect.gen(function* () {
    const valid = [...(yield* sample(SCHEMAS.action)), ...(yield* sample(SCHEMAS.directory))]
    const values = [...STRANGE, ...valid, ...valid.flatMap(mutations)]
    const compiled = judge(values, "compiled")
    const interpreted = judge(values)
    expect(compiled.built).toBeGreaterThan(0)
    expect(interpreted.built).toBe(0)

    const differing = values.filter(
      (_, index) => JSON.stringify(compiled.verdicts[index]) !== JSON.stringify(interpreted.verdicts[index]),
    )
    expect(differing).toEqual([])
    for (const kind of ["action", "directory"] as const) {
      const accepted = interpreted.verdicts.filter((verdict) => verdict[kind].is).length
      expect(accepted).toBeGreaterThan(60)
      expect(values.length - accepted).toBeGreaterThan(500)
    }
  }),
)
