import { Context } from "effect"
import { Hono } from "hono"
import { compress } from "hono/compress"
import { methodNotAllowed } from "hono/method-not-allowed"
import { requestId } from "hono/request-id"
import { Nats } from "#nats/connection.ts"
import type { Publisher } from "#nats/publisher.ts"
import { authenticator } from "./auth/authenticate.ts"
import type { JwtOptions } from "./auth/jwt.ts"
import { docsRoute } from "./docs/route.ts"
import type { Files } from "./exports/files.ts"
import { natsFiles } from "./exports/nats-files.ts"
import type { Env, Services } from "./http/bridge.ts"
import type { Route } from "./http/endpoint.ts"
import { mount, onError, onMethodNotAllowed, onNotFound } from "./http/mount.ts"
import { DEFAULT_LIMITS, type LimitOptions, type Limiter, makeLimiter } from "./limits/limiter.ts"
import { measured } from "./metrics.ts"
import { openApiRoute } from "./openapi/route.ts"
import { actionRoutes } from "./routes/actions.ts"
import { keyRoutes } from "./routes/api-keys.ts"
import { auditRoutes } from "./routes/audit-log.ts"
import { clientRoutes } from "./routes/clients.ts"
import { dataQualityRoutes } from "./routes/data-quality.ts"
import { deadLetterRoutes } from "./routes/dead-letters.ts"
import { eventRoutes } from "./routes/events.ts"
import { exportRoutes } from "./routes/exports.ts"
import { grantRoutes } from "./routes/grants.ts"
import { healthRoutes } from "./routes/health.ts"
import { settingsRoutes } from "./routes/settings.ts"
import { signalRoutes } from "./routes/signals.ts"
import { targetRoutes } from "./routes/targets.ts"
import { adoptionRoutes } from "./routes/adoption.ts"
import { leaderboardRoutes } from "./routes/leaderboard.ts"
import { licenseRoutes } from "./routes/licenses.ts"
import { userInsightsRoutes } from "./routes/user-insights.ts"

export interface AppOptions {
  /** The operator's key. */
  readonly adminKey: string
  /** How far ahead of the clock an event's time may lie, in milliseconds. */
  readonly maxClockAhead: number
  /** How old an action may be, in milliseconds. */
  readonly maxAge: number
  /** Where exports are kept; undefined: NATS's object store. */
  readonly files?: Files | undefined
  /** How much a key and a tenant may ask for. */
  readonly limits?: LimitOptions
  /** The host platform's tokens, as the other credential. */
  readonly jwt?: JwtOptions | undefined
}

export interface Dependencies extends AppOptions {
  readonly services: Services
  readonly publisher: Publisher
}

/** Every route but that of the specification, which is made from them. */
export const routesOf = ({
  services,
  publisher,
  files = natsFiles(Context.get(services, Nats)),
  maxClockAhead,
  maxAge,
  spend,
}: Omit<Dependencies, "adminKey"> & Pick<Limiter, "spend">): ReadonlyArray<Route> => [
  ...eventRoutes({ publisher, limits: { maxClockAhead, maxAge }, spend }),
  ...userInsightsRoutes,
  ...leaderboardRoutes,
  ...adoptionRoutes,
  ...licenseRoutes,
  ...targetRoutes(publisher),
  ...clientRoutes,
  ...signalRoutes,
  ...actionRoutes,
  ...keyRoutes,
  ...grantRoutes,
  ...settingsRoutes,
  ...auditRoutes,
  ...dataQualityRoutes,
  ...deadLetterRoutes({ publisher, limits: { maxClockAhead, maxAge } }),
  ...exportRoutes(files),
  ...healthRoutes,
  docsRoute,
]

/** The HTTP API. It listens nowhere: `app.request` answers in tests, `serveApi` gives it a port. */
export const makeApp = ({
  services,
  publisher,
  adminKey,
  limits = DEFAULT_LIMITS,
  jwt,
  ...options
}: Dependencies): Hono<Env> => {
  const limiter = makeLimiter(limits)
  const routes = routesOf({ ...options, services, publisher, spend: limiter.spend })
  const app = new Hono<Env>()
  app.use(requestId())
  app.use(measured(services))
  app.use(compress())
  app.use(methodNotAllowed<Env>({ app, onMethodNotAllowed }))
  app.onError(onError(services))
  app.notFound(onNotFound)
  const authenticate = authenticator(adminKey, jwt)
  for (const route of [...routes, openApiRoute(routes)]) mount(app, route, services, authenticate, limiter)
  return app
}
