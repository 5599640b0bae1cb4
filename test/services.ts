import { Layer } from "effect"
import { inject } from "vitest"
import { Nats } from "#nats/connection.ts"

/** The run's broker. */
export const broker = Layer.suspend(() => Nats.layer({ url: inject("natsUrl"), name: "test" }))
