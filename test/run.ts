// `npm test`: formatting, lint, types, unused code, then the tests. Every step runs, whatever the others said; a step
// counts as one. The last line is `N passed, N failed`, and the exit code is 0 only when nothing failed.
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const root = join(import.meta.dirname, "..")
const bin = join(root, "node_modules", ".bin")

interface Count {
  readonly passed: number
  readonly failed: number
}

const run = (command: string, args: ReadonlyArray<string>): boolean => {
  console.log(`\n> ${[command, ...args].join(" ")}`)
  const { status, error } = spawnSync(join(bin, command), args, { cwd: root, stdio: "inherit" })
  if (error !== undefined) console.error(error.message)
  return status === 0
}

const check = (command: string, ...args: ReadonlyArray<string>): Count =>
  run(command, args) ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }

interface Report {
  readonly success: boolean
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: ReadonlyArray<{
    readonly assertionResults: ReadonlyArray<{ readonly fullName: string; readonly status: string }>
  }>
}

const readReport = (file: string): Report | undefined => {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Report
  } catch {
    return undefined
  }
}

/** Counts the tests. No report, no test at all and a failure outside of a test are each a failure. */
const tests = (): Count => {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-report-"))
  try {
    const file = join(folder, "report.json")
    const succeeded = run("vitest", [
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${file}`,
      ...process.argv.slice(2),
    ])
    const report = readReport(file)
    const passed = report?.numPassedTests ?? 0
    const failed = report?.numFailedTests ?? 0
    for (const { fullName, status } of report?.testResults.flatMap((file) => file.assertionResults) ?? [])
      if (status !== "passed" && status !== "failed") console.log(`${status}: ${fullName}`)
    const isSound = succeeded && report?.success === true && passed > 0
    return { passed, failed: isSound ? failed : Math.max(failed, 1) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const counts = [
  check("oxfmt", "--check"),
  check("oxlint", "--deny-warnings"),
  check("tsc", "--project", "."),
  check("knip"),
  tests(),
]
const sum = (key: keyof Count): number => counts.reduce((total, count) => total + count[key], 0)
console.log(`\n${sum("passed")} passed, ${sum("failed")} failed`)
process.exitCode = sum("failed") === 0 ? 0 : 1
