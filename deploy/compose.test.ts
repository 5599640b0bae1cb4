// docker-compose.yml and Dockerfile: what they say fits the rest of the repository. Nothing here needs a Docker engine.
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { compose, mountedFiles, ROOT } from "../test/compose.ts"
import { freePort } from "../test/free-port.ts"
import { temporaryFolder } from "../test/temporary-folder.ts"
import { embeddedClickHouse } from "./engines/clickhouse.ts"
import { usersFolder } from "./nats/tenants.ts"
import { readSettings } from "./settings.ts"

const { services } = compose()
const text = (file: string) => readFileSync(join(ROOT, file), "utf8")
const dockerfile = text("Dockerfile")

const REQUIRED = [
  ...new Set([...text("docker-compose.yml").matchAll(/\$\{(\w+):\?/gu)].map(([, name = ""]) => name)),
]
const FILLED = Object.fromEntries(REQUIRED.map((name) => [name, "0123456789abcdef"]))

/** `${NAME:-default}` and `${NAME:?message}` filled in as Compose does. */
const interpolated = (value: string | number): string =>
  String(value).replaceAll(
    /\$\{(\w+):(?:-([^}]*)|\?[^}]*)\}/gu,
    (_, name: string, fallback?: string) => FILLED[name] ?? fallback ?? "",
  )

describe("the engines", () => {
  it.live("of ClickHouse read the very files that the embedded one reads", () =>
    Effect.gen(function* () {
      const dataDir = yield* temporaryFolder
      const [httpPort, tcpPort] = yield* Effect.all([freePort, freePort])
      yield* embeddedClickHouse({ dataDir, httpPort, tcpPort })
      const embedded = join(dataDir, "clickhouse", "configuration")
      const mounted = mountedFiles(services.clickhouse)
      expect(mounted.map(({ target }) => target)).toEqual([
        "/etc/clickhouse-server/config.d/tidemark.xml",
        "/etc/clickhouse-server/users.d/tidemark.xml",
      ])
      for (const { source, target } of mounted)
        expect(readFileSync(source, "utf8")).toBe(
          readFileSync(target.replace("/etc/clickhouse-server", embedded), "utf8"),
        )
    }),
  )
  it("of NATS read the embedded one's file, and what makes it durable", () => {
    const mounted = mountedFiles(services.nats)
    const at = (source: string) => mounted.find((file) => file.source === join(ROOT, source))?.target ?? ""
    const durable = at("deploy/nats/durable.conf")
    expect(services.nats.command).toContain(`--config=${durable}`)
    expect(text("deploy/nats/durable.conf")).toContain("include ./nats.conf")
    expect(at("deploy/nats/nats.conf")).toBe(join(dirname(durable), "nats.conf"))
    expect(text("deploy/engines/nats.ts")).toContain("../nats/nats.conf")
    // Where JetStream writes is a volume.
    expect(text("deploy/nats/durable.conf")).toContain("store_dir: /data")
    expect(services.nats.volumes).toContain("nats-data:/data")
  })
})

describe("the services", () => {
  it.each(["migrate", "writer", "api", "exporter"] as const)(
    "%s has settings that are right, and a user of its own",
    (name) => {
      const { environment = {} } = services[name]
      const env = Object.fromEntries(
        Object.entries(environment).map(([key, value]) => [key, interpolated(value)]),
      )
      const settings = readSettings(env)
      const user = name === "migrate" ? "migrator" : name
      expect(settings).toMatchObject({
        natsUrl: "nats://nats:4222",
        clickhouseUrl: "http://clickhouse:8123",
        clickhouseUser: `tidemark_${user}`,
      })
      const password = `TIDEMARK_${user.toUpperCase()}_PASSWORD`
      expect(environment["CLICKHOUSE_PASSWORD"]).toContain(password)
      expect(services.clickhouse.environment).toHaveProperty(password, environment["CLICKHOUSE_PASSWORD"])
      expect(text("deploy/clickhouse/users.xml")).toContain(`from_env="${password}"`)
    },
  )
  it.each(["writer", "api"] as const)("%s is a user of services.conf", (name) => {
    const { environment = {} } = services[name]
    expect(environment["NATS_USER"]).toBe(`tidemark_${name}`)
    expect(text("deploy/nats/services.conf")).toContain(`user: tidemark_${name}`)
    // Quoted for the server, which reads it as configuration.
    expect(services.nats.environment?.[`NATS_${name.toUpperCase()}_PASSWORD`]).toBe(
      `"${environment["NATS_PASSWORD"]}"`,
    )
  })
  it("set every password that users.xml takes from the environment", () => {
    const names = [...text("deploy/clickhouse/users.xml").matchAll(/from_env="(\w+)"/gu)].map(
      ([, name]) => name,
    )
    expect(names.length).toBeGreaterThan(3)
    expect(Object.keys(services.clickhouse.environment ?? {})).toEqual(expect.arrayContaining(names))
  })
  it("set every password that services.conf takes from the environment", () => {
    const names = [...text("deploy/nats/services.conf").matchAll(/password: \$(\w+)/gu)].map(
      ([, name]) => name,
    )
    expect(names).toHaveLength(4)
    expect(Object.keys(services.nats.environment ?? {})).toEqual([...names, "TIDEMARK_PARTITIONS"])
  })
  it("write the tenants' users where NATS looks for them", () => {
    const { environment = {}, volumes = [] } = services["nats-users"]
    expect(volumes).toEqual([`nats-users:${usersFolder(String(environment["TIDEMARK_DATA_DIR"]))}`])
    expect(text("Dockerfile")).toContain(usersFolder(String(environment["TIDEMARK_DATA_DIR"])))
    // Beside nats.conf, which includes them from there.
    expect(services.nats.volumes).toContain("nats-users:/etc/tidemark/users:ro")
    expect(text("deploy/nats/nats.conf")).toContain("include ./users/tenants.conf")
    expect(text("deploy/nats/nats.conf")).toContain("include ./users/services.conf")
  })
  it("map subjects to as many partitions as the writers and the API know", () => {
    const wanted = "${TIDEMARK_PARTITIONS:-1}"
    for (const name of ["nats-users", "nats", "writer", "api", "exporter", "migrate"] as const)
      expect(services[name].environment?.["TIDEMARK_PARTITIONS"], name).toBe(wanted)
  })
  it("ask for nothing that .env.example does not name", () => {
    const named = [...text(".env.example").matchAll(/^(\w+)=$/gmu)].map(([, name]) => name)
    expect(named.toSorted()).toEqual(REQUIRED.toSorted())
  })
})

describe("the images", () => {
  const EXACT = /^[\w./-]+:\d+\.\d+\.\d+[\w.-]*$/u
  it("have exact tags", () => {
    const images = [services.nats.image, services.clickhouse.image, /^FROM (\S+)$/mu.exec(dockerfile)?.[1]]
    expect(images.map((image) => EXACT.test(image ?? ""))).toEqual([true, true, true])
  })
  it("has what it copies, does not run as root, and leaves development out", () => {
    const copied = [...dockerfile.matchAll(/^COPY ([\w./ -]+) \.\/?\S*$/gmu)].flatMap(([, files = ""]) =>
      files.split(" "),
    )
    expect(copied.length).toBeGreaterThan(5)
    expect(copied.filter((file) => !existsSync(join(ROOT, file)))).toEqual([])
    const kept = text(".dockerignore").split("\n")
    expect(copied.filter((file) => !kept.includes(`!${file}`))).toEqual([])
    expect(dockerfile).toMatch(/^USER node$/mu)
    expect(dockerfile).toContain("npm ci --omit=dev")
  })
})

const hasCompose = spawnSync("docker", ["compose", "version"], { stdio: "ignore" }).status === 0

describe.skipIf(!hasCompose)("docker compose config, where the client has Compose", () => {
  const config = (env: Readonly<Record<string, string>>) =>
    spawnSync("docker", ["compose", "--env-file", "/dev/null", "config", "--quiet"], {
      cwd: ROOT,
      encoding: "utf8",
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
    })
  it("takes the file", () => {
    expect(config(FILLED)).toMatchObject({ status: 0, stderr: "" })
  })
  it.each(REQUIRED)("names %s when it is missing", (name) => {
    const { status, stderr } = config({ ...FILLED, [name]: "" })
    expect(status).not.toBe(0)
    expect(stderr).toContain(`set ${name} in .env`)
  })
})
