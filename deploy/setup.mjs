#!/usr/bin/env node
// Makes a machine ready, with Node's built-ins alone: packages, a maintained Node, nats-server. It is run before every
// npm script and does nothing when everything is there.
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const stamp = join(root, "node_modules", ".tidemark-setup")
const quiet = process.argv.includes("--quiet")
const say = (text) => quiet || console.error(`setup: ${text}`)

const stop = (what, hint) => {
  console.error(`setup: ${what}\n       ${hint}`)
  process.exit(1)
}

const run = (command, args, what, hint) => {
  say(`${what} (${[command, ...args].join(" ")})`)
  const result = spawnSync(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" })
  if (result.status !== 0)
    stop(
      `${what} failed: ${(result.error?.message ?? result.stderr ?? "").trim().split("\n").slice(-5).join("\n       ")}`,
      hint,
    )
}

/** TypeScript is run as it is, which Node does from 22.18 on. */
const isMaintained = (version) => {
  const [major = 0, minor = 0] = version.replace(/^v/u, "").split(".").map(Number)
  return major > 22 || (major === 22 && minor >= 18)
}

/** The Node of npm scripts: they look into node_modules/.bin first. */
const scriptsNode = () => {
  const path = [join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter)
  const { stdout } = spawnSync("node", ["--version"], {
    encoding: "utf8",
    env: { ...process.env, PATH: path },
  })
  return stdout?.trim() || process.version
}

const [major = 0] = process.version.slice(1).split(".").map(Number)
if (major < 20)
  stop(
    `Node ${process.version} is too old even to set up`,
    "Install Node 20 or newer, then run the same command again.",
  )

const fingerprint = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex")
const installed = existsSync(stamp) && readFileSync(stamp, "utf8") === fingerprint
if (!installed) {
  run(
    "npm",
    ["ci", "--no-audit", "--no-fund"],
    "installing packages",
    "Check the npm registry can be reached, then run the same command again.",
  )
  writeFileSync(stamp, fingerprint)
}
// `npm ci` and `npm install` take it away again, since package.json does not name it.
if (!isMaintained(scriptsNode()))
  run(
    "npm",
    ["install", "--no-save", "--no-audit", "--no-fund", "node@24"],
    `installing Node 24 beside ${process.version}`,
    "Install Node 24 yourself, then run the same command again.",
  )

const has = (command) => spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0
if (!process.env.NATS_URL && !has("nats-server")) {
  if (process.platform === "darwin" && has("brew"))
    run(
      "brew",
      ["install", "nats-server"],
      "installing nats-server",
      "Install nats-server yourself, or set NATS_URL.",
    )
  else if (has("apt-get")) {
    const sudo = process.getuid?.() === 0 ? [] : ["sudo", "-n"]
    const apt = (...args) => {
      const [command, ...rest] = [...sudo, "apt-get", ...args]
      run(
        command,
        rest,
        "installing nats-server",
        "Run `sudo apt-get install nats-server`, or set NATS_URL to a server that runs elsewhere.",
      )
    }
    apt("-qq", "update")
    apt("-qq", "install", "-y", "--no-install-recommends", "nats-server")
    // Debian puts it where root's PATH alone reaches; scripts of npm look here first.
    const [system, link] = ["/usr/sbin/nats-server", join(root, "node_modules", ".bin", "nats-server")]
    if (!has("nats-server") && existsSync(system)) {
      rmSync(link, { force: true })
      symlinkSync(system, link)
    }
    // Debian starts it as a service on the default port, which the embedded one wants.
    if (sudo.length === 0 && has("systemctl"))
      spawnSync("systemctl", ["disable", "--now", "nats-server"], { stdio: "ignore" })
  } else
    stop(
      "nats-server is not on PATH",
      "Install it (https://docs.nats.io/running-a-nats-service/introduction/installation), or set NATS_URL to a server that runs elsewhere.",
    )
}
