import { join, resolve } from "node:path"
import { Schema } from "effect"
import { MOST_PARTITIONS } from "#schemas/partitions.ts"
import type { S3 } from "../api/exports/s3-files.ts"
import { DEFAULT_LIMITS, type LimitOptions } from "../api/limits/limiter.ts"

export interface JwtSettings {
  readonly issuer: string | undefined
  readonly audience: string | undefined
  readonly jwksUrl: string | undefined
  readonly jwksFile: string | undefined
  readonly claims: { readonly tenant: string; readonly role: string; readonly user: string }
}

/** Everything that the environment decides, read once. Durations in milliseconds. */
export interface Settings {
  /** Undefined: run NATS here. */
  readonly natsUrl: string | undefined
  readonly natsUser: string | undefined
  readonly natsPassword: string | undefined
  readonly natsPort: number
  /** Whether the embedded NATS takes clients without a user. */
  readonly natsAnonymous: boolean
  readonly natsReplicas: number
  /** How many streams the actions are in. */
  readonly partitions: number
  /** Undefined: run ClickHouse here. */
  readonly clickhouseUrl: string | undefined
  /** Undefined: each service's own user. */
  readonly clickhouseUser: string | undefined
  readonly clickhousePassword: string
  readonly clickhouseHttpPort: number
  readonly clickhouseTcpPort: number
  readonly dataDir: string
  readonly apiHost: string
  readonly apiPort: number
  readonly writerPort: number
  /** Undefined: generated and kept in the data directory. */
  readonly adminKey: string | undefined
  /** The host platform's tokens; what is set must go together (deploy/jwt.ts). */
  readonly jwt: JwtSettings
  readonly limits: LimitOptions
  readonly duplicateWindow: number
  readonly maxClockAhead: number
  readonly streamRetention: number
  readonly writerLease: number
  readonly batchRows: number
  readonly batchBytes: number
  readonly batchInterval: number
  readonly exporterPort: number
  /** How long a file is kept. */
  readonly exportTtl: number
  /** How long after its last sign of life a worker's job is given to another. */
  readonly exportLease: number
  /** Jobs that a worker does at once. */
  readonly exportConcurrency: number
  /** Jobs of a tenant that are done at once, over all workers. */
  readonly exportsPerTenant: number
  /** Undefined: exports are kept in NATS's object store. */
  readonly exportS3: S3 | undefined
  /** Where spans are sent; undefined: nowhere. */
  readonly otel:
    | {
        readonly endpoint: string
        readonly serviceName: string
        readonly headers: Readonly<Record<string, string>>
      }
    | undefined
  readonly logLevel: "trace" | "debug" | "info" | "warn" | "error"
}

/** One or more variables are wrong; each problem names the variable, what was found and what is expected. */
export class SettingsError extends Schema.TaggedError<SettingsError>()("SettingsError", {
  problems: Schema.Array(Schema.String),
}) {
  override get message(): string {
    return `settings: ${this.problems.join("; ")}`
  }
}

/** Raw keeps rows for two months more than events are accepted for; 27 months have 820 days at least, 25 of them 761. */
const LONGEST_RETENTION = 56 * 86_400_000

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Milliseconds of `250ms`, `5s`, `10m`, `12h` or `30d`; undefined when it is no duration. */
export const parseDuration = (text: string): number | undefined => {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/u.exec(text)
  return match === null ? undefined : Number(match[1]) * UNITS[match[2] as keyof typeof UNITS]
}

/** Reads and checks the settings. Throws `SettingsError` with every problem at once. */
export const readSettings = (env: NodeJS.ProcessEnv): Settings => {
  const problems: Array<string> = []
  const text = (name: string): string | undefined => (env[name] === "" ? undefined : env[name])
  const integer = (name: string, fallback: number, minimum: number, maximum: number): number => {
    const value = text(name)
    if (value === undefined) return fallback
    const number = Number(value)
    if (/^\d+$/u.test(value) && number >= minimum && number <= maximum) return number
    problems.push(
      `${name} is ${JSON.stringify(value)}; expected a whole number from ${minimum} to ${maximum}`,
    )
    return fallback
  }
  const duration = (name: string, fallback: string, minimum = 1): number => {
    const value = text(name) ?? fallback
    const milliseconds = parseDuration(value)
    if (milliseconds !== undefined && milliseconds >= minimum) return milliseconds
    problems.push(
      `${name} is ${JSON.stringify(value)}; expected a duration such as 5s, 10m or 30d, at least ${minimum} ms`,
    )
    return parseDuration(fallback) ?? 0
  }
  const url = (name: string, protocols: ReadonlyArray<string>): string | undefined => {
    const value = text(name)
    if (value === undefined) return undefined
    const wrong = value
      .split(",")
      .find((part) => !URL.canParse(part.trim()) || !protocols.includes(new URL(part.trim()).protocol))
    if (wrong !== undefined)
      problems.push(
        `${name} is ${JSON.stringify(value.replaceAll(/\/\/[^@/]*@/gu, "//…@"))}; expected a URL that begins with ${protocols.map((p) => `${p}//`).join(" or ")}`,
      )
    return value
  }
  /** One of the values, the first when it is absent. */
  const choice = <Value extends string>(name: string, values: readonly [Value, ...Array<Value>]): Value => {
    const value = text(name) ?? values[0]
    const known = values.find((candidate) => candidate === value)
    if (known !== undefined) return known
    problems.push(`${name} is ${JSON.stringify(value)}; expected one of ${values.join(", ")}`)
    return values[0]
  }
  const s3 = (): S3 | undefined => {
    const bucket = text("EXPORT_S3_BUCKET")
    const endpoint = url("EXPORT_S3_ENDPOINT", ["http:", "https:"])
    const accessKeyId = text("EXPORT_S3_ACCESS_KEY_ID")
    const secretAccessKey = text("EXPORT_S3_SECRET_ACCESS_KEY")
    const region = text("EXPORT_S3_REGION") ?? "us-east-1"
    if ((accessKeyId === undefined) !== (secretAccessKey === undefined))
      problems.push(
        "EXPORT_S3_ACCESS_KEY_ID and EXPORT_S3_SECRET_ACCESS_KEY go together; set both or neither",
      )
    if (bucket === undefined) {
      if (endpoint !== undefined) problems.push("EXPORT_S3_ENDPOINT needs EXPORT_S3_BUCKET beside it")
      return undefined
    }
    const credentials =
      accessKeyId === undefined || secretAccessKey === undefined
        ? undefined
        : { accessKeyId, secretAccessKey }
    return { endpoint, bucket, region, credentials }
  }

  const otel = (): Settings["otel"] => {
    const serviceName = text("OTEL_SERVICE_NAME") ?? "tidemark"
    const given = text("OTEL_EXPORTER_OTLP_HEADERS") ?? ""
    const endpoint = url("OTEL_EXPORTER_OTLP_ENDPOINT", ["http:", "https:"])
    const pairs = given.split(",").filter((pair) => pair.trim() !== "")
    // Values can be credentials, so none is said.
    if (pairs.some((pair) => pair.indexOf("=") < 1))
      problems.push("OTEL_EXPORTER_OTLP_HEADERS is not name=value, several separated by commas")
    const headers = Object.fromEntries(
      pairs.map((pair) => {
        const at = pair.indexOf("=")
        return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()] as const
      }),
    )
    return endpoint === undefined ? undefined : { endpoint, serviceName, headers }
  }

  const settings: Settings = {
    natsUrl: url("NATS_URL", ["nats:", "tls:"]),
    natsUser: text("NATS_USER"),
    natsPassword: text("NATS_PASSWORD"),
    natsAnonymous: choice("NATS_ANONYMOUS", ["yes", "no"]) === "yes",
    natsPort: integer("NATS_PORT", 4222, 1, 65_535),
    natsReplicas: integer("NATS_REPLICAS", 1, 1, 5),
    partitions: integer("TIDEMARK_PARTITIONS", 1, 1, MOST_PARTITIONS),
    clickhouseUrl: url("CLICKHOUSE_URL", ["http:", "https:"]),
    clickhouseUser: text("CLICKHOUSE_USER"),
    clickhousePassword: env["CLICKHOUSE_PASSWORD"] ?? "",
    clickhouseHttpPort: integer("CLICKHOUSE_HTTP_PORT", 8123, 1, 65_535),
    clickhouseTcpPort: integer("CLICKHOUSE_TCP_PORT", 9000, 1, 65_535),
    dataDir: resolve(text("TIDEMARK_DATA_DIR") ?? join(import.meta.dirname, "..", ".tidemark")),
    apiHost: text("API_HOST") ?? "127.0.0.1",
    apiPort: integer("API_PORT", 8080, 1, 65_535),
    writerPort: integer("WRITER_PORT", 9090, 1, 65_535),
    adminKey: text("TIDEMARK_ADMIN_KEY"),
    jwt: {
      issuer: text("JWT_ISSUER"),
      audience: text("JWT_AUDIENCE"),
      jwksUrl: url("JWT_JWKS_URL", ["https:", "http:"]),
      jwksFile: text("JWT_JWKS_FILE"),
      claims: {
        tenant: text("JWT_TENANT_CLAIM") ?? "tenant",
        role: text("JWT_ROLE_CLAIM") ?? "role",
        user: text("JWT_USER_CLAIM") ?? "sub",
      },
    },
    limits: {
      perSecond: {
        query_rate: integer("QUERIES_PER_SECOND", DEFAULT_LIMITS.perSecond.query_rate, 1, 1_000_000),
        ingest_events: integer(
          "INGEST_EVENTS_PER_SECOND",
          DEFAULT_LIMITS.perSecond.ingest_events,
          1,
          1_000_000_000,
        ),
        ingest_bytes: integer(
          "INGEST_BYTES_PER_SECOND",
          DEFAULT_LIMITS.perSecond.ingest_bytes,
          1024,
          2 ** 40,
        ),
      },
      queriesAtOnce: integer("QUERIES_AT_ONCE", DEFAULT_LIMITS.queriesAtOnce, 1, 1000),
      queryWait: duration("QUERY_WAIT", `${DEFAULT_LIMITS.queryWait}ms`),
    },
    duplicateWindow: duration("DUPLICATE_WINDOW", "10m", 100),
    maxClockAhead: duration("MAX_CLOCK_AHEAD", "5m", 0),
    streamRetention: duration("STREAM_RETENTION", "30d", 60_000),
    writerLease: duration("WRITER_LEASE", "5s", 1000),
    batchRows: integer("BATCH_ROWS", 10_000, 1, 200_000),
    batchBytes: integer("BATCH_BYTES", 16 * 1024 * 1024, 256 * 1024, 128 * 1024 * 1024),
    batchInterval: duration("BATCH_INTERVAL", "250ms"),
    exporterPort: integer("EXPORTER_PORT", 9091, 1, 65_535),
    exportTtl: duration("EXPORT_TTL", "7d", 1000),
    exportLease: duration("EXPORT_LEASE", "15s", 1000),
    exportConcurrency: integer("EXPORT_CONCURRENCY", 2, 1, 64),
    exportsPerTenant: integer("EXPORTS_PER_TENANT", 1, 1, 64),
    exportS3: s3(),
    otel: otel(),
    logLevel: choice("LOG_LEVEL", ["info", "trace", "debug", "warn", "error"]),
  }
  if (settings.maxClockAhead >= settings.duplicateWindow)
    problems.push(
      "MAX_CLOCK_AHEAD must be smaller than DUPLICATE_WINDOW, or a late repeat could pass for a fresh event",
    )
  if (settings.streamRetention < settings.duplicateWindow)
    problems.push("STREAM_RETENTION must not be smaller than DUPLICATE_WINDOW: the broker refuses it")
  if (settings.streamRetention > LONGEST_RETENTION)
    problems.push(
      "STREAM_RETENTION must not be longer than 56d: events are accepted for 25 months and rows kept for 27, so replay and audit would miss the rows of what is in the stream for longer",
    )
  if (settings.adminKey !== undefined && settings.adminKey.length < 16)
    problems.push("TIDEMARK_ADMIN_KEY is too short; use at least 16 characters")
  if (problems.length > 0) throw new SettingsError({ problems })
  return settings
}

/** Where the engines answer, whoever started them. */
export const natsUrlOf = (settings: Settings): string =>
  settings.natsUrl ?? `nats://127.0.0.1:${settings.natsPort}`

export const clickhouseUrlOf = (settings: Settings): string =>
  settings.clickhouseUrl ?? `http://127.0.0.1:${settings.clickhouseHttpPort}`
