import { Layer } from "effect"
import { logging } from "./logging.ts"
import type { Settings } from "./settings.ts"
import { tracing } from "./tracing.ts"

/** How a service is seen from outside: its log lines, and its spans where somebody collects them. */
export const observing = (settings: Settings) => Layer.merge(logging(settings.logLevel), tracing(settings))
