// setup.mjs on a machine of its own: a copy of it in an empty folder, with programs on PATH that say what was asked of
// them instead of doing it.
import { spawnSync } from "node:child_process"
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { temporaryFolder } from "../test/temporary-folder.ts"

const machine = Effect.map(temporaryFolder, (folder) => {
  const [root, programs, log] = [join(folder, "tidemark"), join(folder, "bin"), join(folder, "log")]
  mkdirSync(join(root, "deploy"), { recursive: true })
  mkdirSync(programs)
  copyFileSync(join(import.meta.dirname, "setup.mjs"), join(root, "deploy", "setup.mjs"))
  writeFileSync(join(root, "package-lock.json"), "{}")

  const program = (name: string, script: string) => {
    writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(programs, name), 0o755)
  }
  const logged = (then: string) => `[ "$1" = --version ] || echo "$(basename "$0") $*" >> ${log}; ${then}`
  const nodeOf = (version: string) => program("node", `echo ${version}`)
  for (const tool of ["basename", "chmod", "cp", "mkdir", "rm"]) {
    const real = ["/usr/bin", "/bin"].map((bin) => join(bin, tool)).find(existsSync)
    if (real !== undefined) symlinkSync(real, join(programs, tool))
  }
  // As the real ones: \`ci\` lays node_modules anew, \`install … node@24\` puts a Node into it.
  const newer = join(root, "node_modules", ".bin", "node")
  program(
    "npm",
    logged(`case "$1" in
      ci) rm -rf node_modules; mkdir -p node_modules/.bin ;;
      install) printf '#!/bin/sh\\necho v24.0.0\\n' > ${newer}; chmod +x ${newer} ;;
    esac`),
  )
  program(
    "apt-get",
    logged(`case "$*" in *install*) cp ${join(programs, "npm")} ${join(programs, "nats-server")} ;; esac`),
  )
  program("systemctl", logged("true"))
  program("sudo", 'while [ "${1#-}" != "$1" ]; do shift; done; exec "$@"')

  return {
    root,
    program,
    nodeOf,
    remove: (name: string) => rmSync(join(programs, name)),
    /** Runs the setup and returns what it had done. */
    setup: (env: NodeJS.ProcessEnv = {}) => {
      rmSync(log, { force: true })
      const { status, stderr } = spawnSync(process.execPath, [join(root, "deploy", "setup.mjs")], {
        encoding: "utf8",
        env: { PATH: programs, ...env },
      })
      const done = existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []
      return { status, stderr, done }
    },
  }
})

const CI = "npm ci --no-audit --no-fund"
const NODE_24 = "npm install --no-save --no-audit --no-fund node@24"
const WITH_NATS = { NATS_URL: "nats://elsewhere:4222" }

describe("setup", () => {
  it.live("installs the packages, and nothing the second time", () =>
    Effect.map(machine, ({ nodeOf, setup }) => {
      nodeOf("v24.21.0")
      expect(setup(WITH_NATS)).toMatchObject({ status: 0, done: [CI] })
      expect(setup(WITH_NATS)).toEqual({ status: 0, stderr: "", done: [] })
    }),
  )
  it.live("installs them again when the lock file changed", () =>
    Effect.map(machine, ({ root, nodeOf, setup }) => {
      nodeOf("v24.21.0")
      setup(WITH_NATS)
      writeFileSync(join(root, "package-lock.json"), '{"changed":true}')
      expect(setup(WITH_NATS).done).toEqual([CI])
      expect(setup(WITH_NATS).done).toEqual([])
    }),
  )
  it.live("links a nats-server that was installed where no PATH leads", () =>
    Effect.map(machine, ({ root, nodeOf, program, setup }) => {
      // Debian's package puts it there; elsewhere there is nothing to link.
      const system = "/usr/sbin/nats-server"
      if (!existsSync(system)) return
      nodeOf("v24.21.0")
      program("apt-get", "true")
      expect(setup().status).toBe(0)
      expect(readlinkSync(join(root, "node_modules", ".bin", "nats-server"))).toBe(system)
    }),
  )
  it.live("puts Node 24 beside an older one, again when npm took it away", () =>
    Effect.map(machine, ({ root, nodeOf, setup }) => {
      nodeOf("v20.20.2")
      expect(setup(WITH_NATS).done).toEqual([CI, NODE_24])
      expect(setup(WITH_NATS).done).toEqual([])
      rmSync(join(root, "node_modules", ".bin", "node"))
      expect(setup(WITH_NATS).done).toEqual([NODE_24])
      writeFileSync(join(root, "package-lock.json"), '{"changed":true}')
      expect(setup(WITH_NATS).done).toEqual([CI, NODE_24])
    }),
  )
  it.live.each([
    ["v22.17.9", true],
    ["v22.18.0", false],
    ["v23.0.0", false],
    ["v26.1.0", false],
  ] as const)("%s is too old: %s", ([version, tooOld]) =>
    Effect.map(machine, ({ nodeOf, setup }) => {
      nodeOf(version)
      expect(setup(WITH_NATS).done.includes(NODE_24)).toBe(tooOld)
    }),
  )
  it.live("installs nats-server where it is missing, unless it runs elsewhere", () =>
    Effect.map(machine, ({ nodeOf, setup }) => {
      nodeOf("v24.21.0")
      expect(setup(WITH_NATS).done).toEqual([CI])
      const apt = setup().done.filter((line) => line.startsWith("apt-get"))
      expect(apt).toEqual([
        "apt-get -qq update",
        "apt-get -qq install -y --no-install-recommends nats-server",
      ])
      expect(setup()).toEqual({ status: 0, stderr: "", done: [] })
    }),
  )
  it.live("says where to get nats-server when no package manager is there", () =>
    Effect.map(machine, ({ nodeOf, remove, setup }) => {
      nodeOf("v24.21.0")
      remove("apt-get")
      const { status, stderr } = setup()
      expect(status).toBe(1)
      expect(stderr).toContain("nats-server is not on PATH")
      expect(stderr).toContain("NATS_URL")
    }),
  )
  it.live("says what failed and what to do", () =>
    Effect.map(machine, ({ nodeOf, program, setup }) => {
      nodeOf("v24.21.0")
      program("npm", "echo the registry is away >&2; exit 1")
      const { status, stderr } = setup(WITH_NATS)
      expect(status).toBe(1)
      expect(stderr).toContain("installing packages failed: the registry is away")
      expect(stderr).toContain("run the same command again")
      expect(setup(WITH_NATS).status).toBe(1)
    }),
  )
})

it("is a script of its own before each one that needs what it installs", () => {
  // A shell remembers where it found node, so the rest of the same script would run on the old one.
  const { scripts } = JSON.parse(readFileSync(join(import.meta.dirname, "..", "package.json"), "utf8")) as {
    readonly scripts: Readonly<Record<string, string>>
  }
  for (const name of ["demo", "start", "test", "test:faults", "bench"])
    expect(scripts).toMatchObject({
      [`pre${name}`]: "node deploy/setup.mjs",
      [name]: expect.not.stringContaining("&&") as unknown,
    })
})
