// What real servers map events to, whoever sends them, held to where the writers and the API look for a tenant's.
import { readFileSync } from "node:fs"
import { jetstream } from "@nats-io/jetstream"
import { connect, type NatsConnection, nkeyAuthenticator, nkeys } from "@nats-io/transport-node"
import { Effect } from "effect"
import { describe, expect, it } from "@effect/vitest"
import { Nats } from "#nats/connection.ts"
import { ensureTopology } from "#nats/topology.ts"
import { actionSubject } from "#schemas/names.ts"
import { actionStreamOf, actionStreams } from "#schemas/partitions.ts"
import { newerNats } from "../../test/faults/newer-nats.ts"
import { until } from "../../test/faults/until.ts"
import { freePort } from "../../test/free-port.ts"
import { temporaryFolder } from "../../test/temporary-folder.ts"
import { embeddedNats, natsPidFile } from "../engines/nats.ts"
import { natsUser, readPasswords } from "./passwords.ts"
import { writeServices } from "./services-file.ts"
import { usersFolder, writeTenantUsers } from "./tenants.ts"

const PARTITIONS = 5
const TENANTS = Array.from({ length: 40 }, (_, n) => `tenant-${n}`)

const newer = newerNats()
const PROGRAMS = [
  ["the installed server", "nats-server"],
  ...("missing" in newer ? [] : [[`nats-server ${newer.version}`, newer.program] as const]),
] as const

describe.each(PROGRAMS)("%s", (_, program) => {
  it.live("maps each tenant's events to its own partition, whoever sends them", () =>
    Effect.gen(function* () {
      const dataDir = yield* temporaryFolder
      const port = yield* freePort
      const pair = nkeys.createUser()
      const [imported = ""] = TENANTS
      writeTenantUsers(usersFolder(dataDir), [
        { tenant: imported, public_key: pair.getPublicKey(), created_at: "2026-11-26T00:00:00Z" },
      ])
      yield* embeddedNats({ dataDir, port, program, anonymous: false, partitions: PARTITIONS })
      const passwords = readPasswords(dataDir)
      const connected = (options: object) =>
        Effect.acquireRelease(
          Effect.promise(() => connect({ servers: `nats://127.0.0.1:${port}`, ...options })),
          (connection) => Effect.promise(() => connection.close()),
        )
      const as = (service: "operator" | "api" | "writer") =>
        connected({ user: natsUser(service), pass: passwords?.[service] })
      yield* ensureTopology({
        duplicateWindow: 60_000,
        actionsMaxAge: 86_400_000,
        replicas: 1,
        partitions: PARTITIONS,
      }).pipe(
        Effect.provide(
          Nats.layer({
            url: `nats://127.0.0.1:${port}`,
            name: "test",
            user: natsUser("operator"),
            password: passwords?.operator ?? "",
          }),
        ),
      )
      const sent = (connection: NatsConnection, subject: string) =>
        Effect.promise(async () => (await jetstream(connection).publish(subject, "{}")).stream)

      const operator = yield* as("operator")
      for (const connection of [operator, yield* as("api")])
        for (const tenant of TENANTS)
          expect(yield* sent(connection, actionSubject(tenant, "user.logged_in"))).toBe(
            actionStreamOf(tenant, PARTITIONS),
          )
      const tenant = yield* connected({ authenticator: nkeyAuthenticator(pair.getSeed()) })
      expect(yield* sent(tenant, actionSubject(imported, "user.logged_in"))).toBe(
        actionStreamOf(imported, PARTITIONS),
      )
      expect(new Set(TENANTS.map((name) => actionStreamOf(name, PARTITIONS)))).toEqual(
        new Set(actionStreams(PARTITIONS)),
      )
      // What does not fit is taken, too, so that it is seen.
      for (const connection of [operator, tenant])
        expect(yield* sent(connection, `actions.v1.${imported}.odd`)).toBe("ACTIONS_0")

      // A writer sends on what lies in the wrong stream, and nothing of its own.
      const writer = yield* as("writer")
      expect(yield* sent(writer, `partition.3.${actionSubject("acme", "user.logged_in")}`)).toBe("ACTIONS_3")

      // Connections that are open follow the mapping when it changes.
      writeServices(usersFolder(dataDir), 2)
      process.kill(Number(readFileSync(natsPidFile(dataDir), "utf8")), "SIGHUP")
      const isMoved = (name: string) =>
        actionStreamOf(name, 2) === "ACTIONS_1" && actionStreamOf(name, PARTITIONS) !== "ACTIONS_1"
      const moved = TENANTS.find(isMoved) ?? ""
      yield* until(
        "subjects mapped by the new configuration",
        Effect.map(
          sent(operator, actionSubject(moved, "user.logged_in")),
          (stream) => stream === "ACTIONS_1",
        ),
        5,
      )
    }),
  )
})
