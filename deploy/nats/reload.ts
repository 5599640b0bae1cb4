import { readFileSync } from "node:fs"
import { connect, type NatsConnection, nkeyAuthenticator } from "@nats-io/transport-node"
import { headers } from "@nats-io/transport-node"
import { Effect, Schedule, Schema } from "effect"
import { actionSubject } from "#schemas/names.ts"
import { natsPidFile } from "../engines/nats.ts"

/** Tells the embedded server to read its configuration again; false when none runs with this data directory. */
export const reloadEmbedded = (dataDir: string): boolean => {
  try {
    process.kill(Number(readFileSync(natsPidFile(dataDir), "utf8")), "SIGHUP")
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === "ENOENT" || code === "ESRCH") return false
    throw error
  }
}

class NotYet extends Schema.TaggedError<NotYet>()("NotYet", { detail: Schema.String }) {}

/**
 * Whether a user reaches the stream of its tenant. Asked with a message for a stream of another name, which the stream
 * refuses to store; a refusal is an answer.
 */
const reaches = async (connection: NatsConnection, tenant: string): Promise<boolean> => {
  const elsewhere = headers()
  elsewhere.set("Nats-Expected-Stream", "NONE")
  const answer = await connection.request(actionSubject(tenant, "probe.probe"), "", {
    headers: elsewhere,
    timeout: 500,
  })
  return answer.json<{ readonly error?: object }>().error !== undefined
}

/**
 * Reloads until the user can send. Once is not enough for the first user of a tenant: a server of 2.9 links what an
 * account imports at the reload after the one that brings the account.
 */
export const reloadUntil = (dataDir: string, url: string, tenant: string, seed: Uint8Array) =>
  Effect.tryPromise({
    try: async () => {
      if (!reloadEmbedded(dataDir)) throw new Error("no server runs")
      const connection = await connect({
        servers: url.split(","),
        authenticator: nkeyAuthenticator(seed),
        reconnect: false,
        timeout: 500,
      })
      try {
        if (!(await reaches(connection, tenant))) throw new Error("stored")
      } finally {
        await connection.close()
      }
    },
    catch: (cause) => new NotYet({ detail: String(cause) }),
  }).pipe(Effect.retry(Schedule.spaced("200 millis").pipe(Schedule.upTo({ times: 25 }))))
