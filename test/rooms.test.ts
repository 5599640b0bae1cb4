// The linter keeps the rooms: who may import whom. It is run with the repository's own rules on small files.
import { spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { ROOT } from "./compose.ts"
import { temporaryFolder } from "./temporary-folder.ts"

interface Found {
  readonly diagnostics: ReadonlyArray<{ readonly code: string; readonly filename: string }>
}

/** Lints files as if they were the repository's, and says which rules each one breaks. */
const lint = (files: Readonly<Record<string, string>>) =>
  Effect.map(temporaryFolder, (folder) => {
    const rules = readFileSync(join(ROOT, ".oxlintrc.json"), "utf8").replace(/"\$schema": .*\n/u, "")
    writeFileSync(join(folder, ".oxlintrc.json"), rules)
    for (const name of ["package.json", "tsconfig.json"]) copyFileSync(join(ROOT, name), join(folder, name))
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(folder, dirname(name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    const { stdout } = spawnSync(join(ROOT, "node_modules", ".bin", "oxlint"), ["--format=json"], {
      cwd: folder,
      encoding: "utf8",
    })
    const { diagnostics } = JSON.parse(stdout) as Found
    return diagnostics.map(({ code, filename }) => `${filename} ${code}`).toSorted()
  })

const importing = (...sources: ReadonlyArray<string>): string =>
  `${sources.map((source, index) => `import { x${index} } from "${source}"`).join("\n")}\nexport const x = [${sources.map((_, index) => `x${index}`).join(", ")}]\n`

const ROOM = "eslint(no-restricted-imports)"

const FORBIDDEN: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
  [
    "schemas/a.ts",
    [
      "#clickhouse",
      "#nats/connection.ts",
      "#schemas/names.ts",
      "hono",
      "@clickhouse/client",
      "../api/x.ts",
      "../deploy/x.ts",
    ],
  ],
  [
    "migrations/a.ts",
    [
      "#nats/connection.ts",
      "hono",
      "@clickhouse/client",
      "../pipeline/x.ts",
      "../deploy/x.ts",
      "../schemas/x.ts",
    ],
  ],
  [
    "pipeline/writer/a.ts",
    ["../../api/x.ts", "../../deploy/x.ts", "../../migrations/x.ts", "../../schemas/x.ts", "../../test/x.ts"],
  ],
  [
    "api/routes/a.ts",
    [
      "../../pipeline/x.ts",
      "../../deploy/x.ts",
      "../../migrations/x.ts",
      "../../schemas/x.ts",
      "../../test/x.ts",
    ],
  ],
  ["deploy/a.ts", ["../schemas/x.ts", "../pipeline/nats/x.ts"]],
]
const ALLOWED: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
  ["schemas/a.ts", ["effect", "effect/Schema", "node:buffer", "./x.ts"]],
  ["migrations/a.ts", ["effect", "node:fs", "#clickhouse", "#schemas/names.ts", "./x.ts"]],
  [
    "pipeline/writer/a.ts",
    ["effect", "@nats-io/jetstream", "#schemas/names.ts", "../clickhouse/x.ts", "./x.ts"],
  ],
  ["api/routes/a.ts", ["hono", "#schemas/names.ts", "#clickhouse", "#nats/connection.ts", "../queries/x.ts"]],
  [
    "deploy/a.ts",
    [
      "#schemas/names.ts",
      "#nats/connection.ts",
      "../api/x.ts",
      "../pipeline/writer/x.ts",
      "../migrations/x.ts",
    ],
  ],
  ["schemas/a.test.ts", ["vitest", "../test/x.ts"]],
]

it.live.each(FORBIDDEN)("%s may not import %s", ([file, sources]) =>
  Effect.gen(function* () {
    expect(yield* lint({ [file]: importing(...sources) })).toEqual(sources.map(() => `${file} ${ROOM}`))
  }),
)

it.live.each(ALLOWED)("%s may import %s", ([file, sources]) =>
  Effect.gen(function* () {
    expect(yield* lint({ [file]: importing(...sources) })).toEqual([])
  }),
)

it.live("no file imports itself through others", () =>
  Effect.gen(function* () {
    const found = yield* lint({
      "schemas/a.ts": importing("./b.ts"),
      "schemas/b.ts": importing("./a.ts"),
      "pipeline/nats/a.ts": importing("../writer/b.ts"),
      "pipeline/writer/b.ts": importing("#nats/a.ts"),
    })
    expect(found).toEqual(
      ["pipeline/nats/a.ts", "pipeline/writer/b.ts", "schemas/a.ts", "schemas/b.ts"].map(
        (file) => `${file} import(no-cycle)`,
      ),
    )
  }),
)

it.live("the environment is read where a process starts", () =>
  Effect.gen(function* () {
    const text = "export const x = process.env\n"
    const files = ["schemas/a.ts", "pipeline/a.ts", "api/a.ts", "migrations/a.ts", "deploy/a.ts", "test/a.ts"]
    expect(yield* lint(Object.fromEntries(files.map((file) => [file, text])))).toEqual(
      ["api/a.ts", "migrations/a.ts", "pipeline/a.ts", "schemas/a.ts"].map(
        (file) => `${file} node(no-process-env)`,
      ),
    )
  }),
)
