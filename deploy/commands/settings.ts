import { Effect } from "effect"
import { readSettings, SettingsError } from "../settings.ts"

/** The settings of this process, or every problem with them. */
export const settings = Effect.try({
  try: () => readSettings(process.env),
  catch: (error) =>
    error instanceof SettingsError ? error : new SettingsError({ problems: [String(error)] }),
})
