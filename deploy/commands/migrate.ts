import { Console, Effect } from "effect"
import { Command } from "effect/cli"
import { migrateStore } from "../services.ts"
import { settings } from "./settings.ts"

export const migrate = Command.make("migrate", {}, () =>
  Effect.gen(function* () {
    const applied = yield* migrateStore(yield* settings)
    yield* Console.log(applied.length === 0 ? "The store is up to date." : `Applied ${applied.join(", ")}.`)
  }),
).pipe(Command.withDescription("Bring the store's tables up to date"))
