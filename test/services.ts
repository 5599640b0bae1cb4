import { Layer } from "effect"
import { inject } from "vitest"
import { ClickHouse } from "#clickhouse"
import { Nats } from "#nats/connection.ts"

/** The run's store, as one of the users of deploy/clickhouse/users.xml. */
export const storeAs = (user: "tidemark_migrator" | "tidemark_writer" | "tidemark_api" | "tidemark_reader") =>
  ClickHouse.layer({ url: inject("clickhouseUrl"), user, password: "" })

/** The run's broker. */
export const broker = Layer.suspend(() => Nats.layer({ url: inject("natsUrl"), name: "test" }))
