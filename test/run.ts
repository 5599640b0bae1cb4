// `npm test`: formatting, lint, types, unused code, then the tests. Every step runs, whatever the others said; a step
// counts as one. The last line is `N passed, N failed`, and the exit code is 0 only when nothing failed.
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"

const root = join(import.meta.dirname, "..")
const bin = join(root, "node_modules", ".bin")
// Tests start the command line some two hundred times, and most of a start is compiling.
process.env["NODE_COMPILE_CACHE"] ??= join(root, "node_modules", ".cache", "node")

interface Count {
  readonly passed: number
  readonly failed: number
  /** What failed and why: said again before the last line, as what was printed in between is long. */
  readonly failures: ReadonlyArray<string>
}

const check = (command: string, ...args: ReadonlyArray<string>): Count => {
  console.log(`\n> ${[command, ...args].join(" ")}`)
  const { status, error } = spawnSync(join(bin, command), args, { cwd: root, stdio: "inherit" })
  if (error !== undefined) console.error(error.message)
  return status === 0
    ? { passed: 1, failed: 0, failures: [] }
    : { passed: 0, failed: 1, failures: [[command, ...args].join(" ")] }
}

/** Runs a command, each of its lines behind a label; true when it succeeded. */
const runLabelled = (label: string, command: string, args: ReadonlyArray<string>): Promise<boolean> =>
  new Promise((resolve) => {
    console.log(`\n${label}> ${[command, ...args].join(" ")}`)
    const child = spawn(join(bin, command), args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] })
    for (const lines of [child.stdout, child.stderr])
      createInterface({ input: lines }).on("line", (line) => console.log(`${label}${line}`))
    child.once("error", (error) => console.error(`${label}${error.message}`))
    // Also after an error: nothing is left to be read then.
    child.once("close", (status) => resolve(status === 0))
  })

interface Report {
  readonly success: boolean
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: ReadonlyArray<{
    readonly assertionResults: ReadonlyArray<{
      readonly fullName: string
      readonly status: string
      readonly failureMessages?: ReadonlyArray<string>
    }>
  }>
}

const readReport = (file: string): Report | undefined => {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Report
  } catch {
    return undefined
  }
}

/** Counts the tests that the arguments choose. No report, no test at all and a failure outside of a test are each a failure. */
const tests = async (label: string, args: ReadonlyArray<string>): Promise<Count> => {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-report-"))
  try {
    const file = join(folder, "report.json")
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`]
    const succeeded = await runLabelled(label, "vitest", ["run", ...reporters, ...args])
    const report = readReport(file)
    const passed = report?.numPassedTests ?? 0
    const failed = report?.numFailedTests ?? 0
    const results = report?.testResults.flatMap((file) => file.assertionResults) ?? []
    for (const { fullName, status } of results)
      if (status !== "passed" && status !== "failed") console.log(`${label}${status}: ${fullName}`)
    const failures = results
      .filter(({ status }) => status === "failed")
      .map(({ fullName, failureMessages }) => [fullName, ...(failureMessages ?? [])].join("\n"))
    const isSound = succeeded && report?.success === true && passed > 0
    if (isSound || failed > 0) return { passed, failed, failures }
    return { passed, failed: 1, failures: [`${label}vitest failed outside of a test, or ran none`] }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * About as long each. Tests mostly wait, for engines that start and for time to pass, so two halves at once, each with
 * engines of its own, take two cores little more than half of the time.
 */
const FIRST_HALF = ["test/faults", "deploy", "pipeline", "api/auth", "api/queries"]

const halves = (): ReadonlyArray<Promise<Count>> => [
  tests("1 ", FIRST_HALF),
  tests(
    "2 ",
    FIRST_HALF.flatMap((folder) => ["--exclude", `${folder}/**`]),
  ),
]

const chosen = process.argv.slice(2)
const counts = [
  check("oxfmt", "--check"),
  check("oxlint", "--deny-warnings"),
  check("tsc", "--project", "."),
  check("knip"),
  ...(await Promise.all(chosen.length === 0 ? halves() : [tests("", chosen)])),
]
for (const failure of counts.flatMap(({ failures }) => failures)) console.log(`\nfailed: ${failure}`)
const sum = (key: "passed" | "failed"): number => counts.reduce((total, count) => total + count[key], 0)
console.log(`\n${sum("passed")} passed, ${sum("failed")} failed`)
process.exitCode = sum("failed") === 0 ? 0 : 1
