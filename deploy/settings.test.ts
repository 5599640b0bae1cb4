import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { clickhouseUrlOf, natsUrlOf, parseDuration, readSettings, SettingsError } from "./settings.ts"

const problemsOf = (env: Readonly<Record<string, string>>): ReadonlyArray<string> => {
  try {
    readSettings(env)
    return []
  } catch (error) {
    if (error instanceof SettingsError) return error.problems
    throw error
  }
}

describe("without any variable", () => {
  const settings = readSettings({})
  it("both engines run here", () => {
    expect(natsUrlOf(settings)).toBe("nats://127.0.0.1:4222")
    expect(clickhouseUrlOf(settings)).toBe("http://127.0.0.1:8123")
    expect(settings.dataDir).toBe(join(import.meta.dirname, "..", ".tidemark"))
  })
  it("the contract's defaults hold", () => {
    expect(settings).toMatchObject({
      apiPort: 8080,
      apiHost: "127.0.0.1",
      duplicateWindow: 600_000,
      maxClockAhead: 300_000,
      streamRetention: 30 * 86_400_000,
      adminKey: undefined,
    })
  })
  it("an empty one counts as absent", () => {
    expect(readSettings({ NATS_URL: "", API_PORT: "", DUPLICATE_WINDOW: "", LOG_LEVEL: "" })).toEqual(
      settings,
    )
  })
})

describe("values", () => {
  it("are taken", () => {
    const settings = readSettings({
      NATS_URL: "nats://a:4222, tls://b:4222",
      CLICKHOUSE_URL: "https://store:8443",
      CLICKHOUSE_PASSWORD: "p",
      API_PORT: "65535",
      DUPLICATE_WINDOW: "2m",
      MAX_CLOCK_AHEAD: "90s",
      TIDEMARK_ADMIN_KEY: "0123456789abcdef",
      LOG_LEVEL: "debug",
    })
    expect(settings).toMatchObject({
      natsUrl: "nats://a:4222, tls://b:4222",
      clickhouseUrl: "https://store:8443",
      clickhousePassword: "p",
      apiPort: 65_535,
      duplicateWindow: 120_000,
      maxClockAhead: 90_000,
      logLevel: "debug",
    })
  })

  const PORTS = ["NATS_PORT", "CLICKHOUSE_HTTP_PORT", "CLICKHOUSE_TCP_PORT", "API_PORT", "WRITER_PORT"]
  const bad: ReadonlyArray<readonly [string, string]> = [
    ...PORTS.flatMap((name) =>
      ["0", "65536", "-1", "1.5", "8080x", " ", "1e3"].map((value) => [name, value] as const),
    ),
    ...["NATS_REPLICAS", "BATCH_ROWS", "BATCH_BYTES"].map((name) => [name, "0"] as const),
    ...["STREAM_RETENTION", "WRITER_LEASE", "BATCH_INTERVAL"].flatMap((name) =>
      ["5", "5 s", "s", "-5s", "1.5s", "5w", "0s"].map((value) => [name, value] as const),
    ),
    ["DUPLICATE_WINDOW", "ten minutes"],
    ["MAX_CLOCK_AHEAD", "5min"],
    ["NATS_URL", "localhost:4222"],
    ["NATS_URL", "http://localhost:4222"],
    ["NATS_URL", "nats://a:4222,b"],
    ["CLICKHOUSE_URL", "nats://localhost"],
    ["CLICKHOUSE_URL", "localhost:8123"],
    ["LOG_LEVEL", "loud"],
    ["NATS_ANONYMOUS", "true"],
  ]
  it.each(bad)("%s=%s is refused, and the problem names both", (name, value) => {
    const problems = problemsOf({ [name]: value })
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(`${name} is ${JSON.stringify(value)}; expected `)
  })

  it("that contradict each other are refused", () => {
    expect(problemsOf({ DUPLICATE_WINDOW: "5m" })).toEqual([
      expect.stringContaining("MAX_CLOCK_AHEAD must be smaller"),
    ])
    expect(problemsOf({ DUPLICATE_WINDOW: "300001ms" })).toEqual([])
    expect(problemsOf({ STREAM_RETENTION: "9m" })).toEqual([
      expect.stringContaining("STREAM_RETENTION must not be smaller"),
    ])
    expect(problemsOf({ STREAM_RETENTION: "57d" })).toEqual([
      expect.stringContaining("STREAM_RETENTION must not be longer than 56d"),
    ])
    expect(problemsOf({ STREAM_RETENTION: "56d" })).toEqual([])
    expect(problemsOf({ STREAM_RETENTION: "10m" })).toEqual([])
  })

  it("of a key that is too short are refused without being shown", () => {
    const [problem, ...others] = problemsOf({ TIDEMARK_ADMIN_KEY: "hunter2" })
    expect(others).toEqual([])
    expect(problem).toContain("TIDEMARK_ADMIN_KEY is too short")
    expect(problem).not.toContain("hunter2")
  })

  it("are all looked at before one is refused", () => {
    const problems = problemsOf({ API_PORT: "x", LOG_LEVEL: "x", NATS_URL: "x", BATCH_INTERVAL: "x" })
    expect(problems.map((problem) => problem.split(" ")[0]).toSorted()).toEqual([
      "API_PORT",
      "BATCH_INTERVAL",
      "LOG_LEVEL",
      "NATS_URL",
    ])
    expect(new SettingsError({ problems }).message).toBe(`settings: ${problems.join("; ")}`)
  })
})

describe("a duration", () => {
  it.each([
    ["250ms", 250],
    ["5s", 5000],
    ["10m", 600_000],
    ["12h", 43_200_000],
    ["30d", 2_592_000_000],
    ["0s", 0],
  ])("%s", (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds)
  })
  it.each(["", "5", "s", "5S", " 5s", "5s ", "+5s", "5s5s", "9999999999s"])("is not %j", (text) => {
    expect(parseDuration(text)).toBeUndefined()
  })
})

describe("the bucket for exports", () => {
  it("is none unless it is named", () => {
    expect(readSettings({}).exportS3).toBeUndefined()
    expect(readSettings({ EXPORT_S3_BUCKET: "b" }).exportS3).toEqual({
      endpoint: undefined,
      bucket: "b",
      region: "us-east-1",
      credentials: undefined,
    })
  })
  it("takes both parts of a key or neither, and is what an endpoint is of", () => {
    expect(problemsOf({ EXPORT_S3_BUCKET: "b", EXPORT_S3_ACCESS_KEY_ID: "k" })).toHaveLength(1)
    expect(problemsOf({ EXPORT_S3_BUCKET: "b", EXPORT_S3_SECRET_ACCESS_KEY: "s" })).toHaveLength(1)
    expect(problemsOf({ EXPORT_S3_ENDPOINT: "http://s3:9000" })).toHaveLength(1)
    expect(problemsOf({ EXPORT_S3_BUCKET: "b", EXPORT_S3_ENDPOINT: "s3:9000" })).toHaveLength(1)
  })
})
