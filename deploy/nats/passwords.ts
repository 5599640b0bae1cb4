import { randomBytes } from "node:crypto"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** The services that have a user in nats.conf. */
export const NATS_SERVICES = ["operator", "writer", "api", "exporter"] as const
export type NatsService = (typeof NATS_SERVICES)[number]

export type Passwords = Readonly<Record<NatsService, string>>

export const natsUser = (service: NatsService): string => `tidemark_${service}`

const fileOf = (dataDir: string): string => join(dataDir, "nats", "passwords.json")

/** The passwords of the embedded server's services; undefined where none ever ran with this data directory. */
export const readPasswords = (dataDir: string): Passwords | undefined => {
  try {
    return JSON.parse(readFileSync(fileOf(dataDir), "utf8")) as Passwords
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw error
  }
}

/** The same, made when there are none. */
export const ensurePasswords = (dataDir: string): Passwords => {
  const known = readPasswords(dataDir)
  if (known !== undefined) return known
  const made = Object.fromEntries(
    NATS_SERVICES.map((service) => [service, randomBytes(32).toString("base64url")]),
  ) as Passwords
  mkdirSync(join(dataDir, "nats"), { recursive: true })
  writeFileSync(fileOf(dataDir), `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 })
  return made
}

/** As the variables of nats.conf. The server reads their values as configuration, so they are quoted. */
export const passwordVariables = (passwords: Passwords): Readonly<Record<string, string>> =>
  Object.fromEntries(
    NATS_SERVICES.map((service) => [
      `NATS_${service.toUpperCase()}_PASSWORD`,
      JSON.stringify(passwords[service]),
    ]),
  )
