import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { isSafeForReplicas } from "../../pipeline/writer/claim.ts"

/** Suites of Debian whose nats-server is new enough; each runs on the releases before, too. */
type Suite = "trixie" | "sid"
const cacheOf = (suite: Suite): string =>
  join(import.meta.dirname, "..", "..", "node_modules", ".cache", "nats-server", suite)

/** A nats-server that keeps a replicated ledger, or why there is none. */
export type NewerNats = { readonly program: string; readonly version: string } | { readonly missing: string }

const versionOf = (program: string): string | undefined => {
  try {
    const said = execFileSync(program, ["--version"], { encoding: "utf8", stdio: "pipe" })
    return /v(\d+\.\d+\.\d+\S*)/u.exec(said)?.[1]
  } catch {
    return undefined
  }
}

/** A program, if it is a nats-server that keeps a replicated ledger. */
export const newerNatsAt = (program: string): NewerNats | undefined => {
  const version = versionOf(program)
  return version !== undefined && isSafeForReplicas(version) ? { program, version } : undefined
}

/** Where this machine gets Debian's packages from; the same mirror has the other releases. */
const mirror = (): string | undefined => {
  const release = /^VERSION_CODENAME=(\S+)$/mu.exec(readFileSync("/etc/os-release", "utf8"))?.[1]
  const format = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
  const lists = execFileSync("apt-get", ["indextargets", "--format", format, "Created-By: Packages"], {
    encoding: "utf8",
    stdio: "pipe",
  })
  return lists
    .split("\n")
    .find((line) => line.endsWith(` ${release} main`))
    ?.split(" ")[0]
}

/** Downloads the package and unpacks it, with lists and caches of its own: nothing is installed. */
const download = (suite: Suite): void => {
  const uri = mirror()
  if (uri === undefined) throw new Error("apt names no mirror of Debian")
  const cache = cacheOf(suite)
  const folder = `${cache}.${process.pid}`
  try {
    for (const name of ["state/lists/partial", "cache/archives/partial", "unpacked"])
      mkdirSync(join(folder, name), { recursive: true })
    const sources = join(folder, "sources.list")
    writeFileSync(sources, `deb ${uri} ${suite} main\n`)
    const options = {
      "Dir::Etc::sourcelist": sources,
      "Dir::Etc::sourceparts": "/dev/null",
      "Dir::State": join(folder, "state"),
      "Dir::Cache": join(folder, "cache"),
      "Acquire::Languages": "none",
      "Acquire::Retries": "2",
      // The folder is this user's alone.
      "APT::Sandbox::User": "",
    }
    const flags = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`])
    const apt = (...args: ReadonlyArray<string>) =>
      execFileSync("apt-get", [...flags, "-qq", ...args], { cwd: folder, stdio: "pipe", timeout: 120_000 })
    apt("update")
    apt("download", "nats-server")
    const deb = readdirSync(folder).find((name) => name.endsWith(".deb"))
    if (deb === undefined) throw new Error("apt downloaded nothing")
    execFileSync("dpkg", ["-x", deb, "unpacked"], { cwd: folder, stdio: "pipe" })
    rmSync(cache, { recursive: true, force: true })
    renameSync(join(folder, "unpacked"), cache)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** That of a suite of Debian, downloaded once; nothing is installed. */
const natsOf = (suite: Suite): NewerNats => {
  const program = join(cacheOf(suite), "usr", "sbin", "nats-server")
  const cached = existsSync(program) ? newerNatsAt(program) : undefined
  if (cached !== undefined) return cached
  try {
    download(suite)
  } catch (error) {
    const said = (error as { readonly stderr?: Buffer }).stderr?.toString().trim()
    return { missing: (said || (error as Error).message).split("\n")[0] ?? "" }
  }
  return newerNatsAt(program) ?? { missing: `Debian's ${suite} has none that is new enough` }
}

/** The installed one if it is new enough, else that of Debian's stable release beside it. */
export const newerNats = (): NewerNats => newerNatsAt("nats-server") ?? natsOf("trixie")

/** The newest that Debian has: 2.10.27 of the stable release hangs after some dozens of kills. */
export const newestNats = (): NewerNats => {
  const newest = natsOf("sid")
  return "missing" in newest ? newerNats() : newest
}
