import { Cause, Layer, Logger, References } from "effect"
import { pino } from "pino"
import type { Settings } from "./settings.ts"

const LEVELS = {
  Trace: "trace",
  Debug: "debug",
  Info: "info",
  Warn: "warn",
  Error: "error",
  Fatal: "fatal",
} as const
const EFFECT_LEVELS = { trace: "Trace", debug: "Debug", info: "Info", warn: "Warn", error: "Error" } as const

/** Effect's log lines through pino: one JSON object a line on standard error, so that standard output stays a command's own. */
export const logging = (level: Settings["logLevel"]) => {
  const sink = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  )
  const logger = Logger.make<unknown, void>(({ message, logLevel, fiber, cause }) => {
    const method = LEVELS[logLevel as keyof typeof LEVELS] ?? "info"
    const annotations = fiber.getRef(References.CurrentLogAnnotations)
    const text = (Array.isArray(message) ? message : [message]).map(String).join(" ")
    const because = Cause.hasFails(cause) || Cause.hasDies(cause) ? { cause: Cause.pretty(cause) } : {}
    sink[method]({ ...annotations, ...because }, text)
  })
  return Layer.mergeAll(
    Logger.layer([logger]),
    Layer.succeed(References.MinimumLogLevel, EFFECT_LEVELS[level]),
  )
}
