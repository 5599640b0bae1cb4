// What the API's tests share: the app over the run's real engines, keys, and rows put straight into the store.
import { randomBytes } from "node:crypto"
import { Context, Effect, Exit, Layer, Logger, Scope } from "effect"
import { afterAll, beforeAll, expect, inject } from "vitest"
import { ClickHouse } from "#clickhouse"
import { Nats } from "#nats/connection.ts"
import { Publisher } from "#nats/publisher.ts"
import { makeApp } from "./app.ts"
import type { Role } from "./auth/credential.ts"
import { createKey } from "./auth/keys.ts"
import type { Services } from "./http/bridge.ts"

export const ADMIN_KEY = "operator-key-of-the-tests"
const DAY = 86_400_000

export const storeAs = (user: string, url = inject("clickhouseUrl")) =>
  ClickHouse.layer({ url, user, password: "" })

export const servicesOf = (natsUrl: string, clickhouseUrl: string) =>
  Layer.merge(storeAs("tidemark_api", clickhouseUrl), Nats.layer({ url: natsUrl, name: "api-test" }))

/** A tenant of the test's own, as files share the engines. */
export const newTenant = (): string => `t-${randomBytes(6).toString("hex")}`

export interface Got {
  readonly status: number
  readonly headers: Headers
  // oxlint-disable-next-line typescript/no-explicit-any -- answers are checked against their schemas elsewhere
  readonly body: any
}

/** The app and its services, opened before a file's tests and closed after them. */
export const testApp = () => {
  const scope = Effect.runSync(Scope.make())
  const logs: Array<string> = []
  const logger = Logger.layer([Logger.map(Logger.formatJson, (line) => logs.push(line))])
  let services: Services
  let publisher: Publisher
  let app: ReturnType<typeof makeApp>

  beforeAll(async () => {
    const context = await Effect.runPromise(
      Layer.buildWithScope(
        Layer.merge(servicesOf(inject("natsUrl"), inject("clickhouseUrl")), logger),
        scope,
      ),
    )
    services = context
    publisher = Publisher.open(Context.get(context, Nats).connection)
    app = makeApp({ services, publisher, adminKey: ADMIN_KEY, maxClockAhead: 300_000, maxAge: 775 * DAY })
  })
  afterAll(async () => {
    await publisher.close()
    await Effect.runPromise(Scope.close(scope, Exit.void))
  })

  const run = <A, E>(effect: Effect.Effect<A, E, ClickHouse | Nats>): Promise<A> =>
    Effect.runPromiseWith(services)(effect)

  const call = async (path: string, key?: string, init: RequestInit = {}): Promise<Got> => {
    const headers = new Headers(init.headers)
    if (key !== undefined) headers.set("Authorization", `Bearer ${key}`)
    const response = await app.request(path, { ...init, headers })
    const text = await response.text()
    const isJson = /[/+]json/u.test(response.headers.get("Content-Type") ?? "")
    return {
      status: response.status,
      headers: response.headers,
      body: isJson && text !== "" ? JSON.parse(text) : text,
    }
  }

  return {
    app: () => app,
    services: () => services,
    publisher: () => publisher,
    /** What was logged, a line of JSON each. */
    logs,
    run,
    call,
    keyFor: (tenant: string, role: Role = "super_admin") => run(createKey({ tenant, role })),
  }
}

/** A problem of this code, in the form that every problem has. */
export const expectProblem = ({ status, headers, body }: Got, code: string, expectedStatus: number): void => {
  expect({ status, code: body.code }).toEqual({ status: expectedStatus, code })
  expect(headers.get("Content-Type")).toBe("application/problem+json")
  expect(body).toMatchObject({ type: `urn:tidemark:problem:${code}`, status: expectedStatus })
  expect(body.request_id).toBe(headers.get("X-Request-Id"))
}
