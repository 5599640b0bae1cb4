// Calls made from the route table, so that a new route is tested by being one.
import { Schema } from "effect"
import type { Right } from "./auth/rights.ts"
import { routesOf } from "./app.ts"
import { pathParameters, type Route } from "./http/endpoint.ts"
import type { Services } from "./http/bridge.ts"
import type { Publisher } from "#nats/publisher.ts"

export interface TableRoute {
  /** `GET /v1/actions` */
  readonly name: string
  readonly method: Route["endpoint"]["method"]
  readonly path: string
  readonly right: Right | undefined
  readonly audit: Route["endpoint"]["audit"]
  readonly parameters: Readonly<Record<string, ParameterSchema>>
  /** Names of the parameters in the path. */
  readonly inPath: ReadonlyArray<string>
  readonly required: ReadonlyArray<string>
}

interface ParameterSchema {
  readonly type?: string
  readonly enum?: ReadonlyArray<string>
  readonly items?: ParameterSchema
}

const tableRoute = ({ endpoint }: Route): TableRoute => {
  const { method, path, right, audit, parameters } = endpoint
  const { properties = {}, required = [] } = (
    parameters === undefined ? {} : Schema.toJsonSchemaDocument(Schema.toType(parameters)).schema
  ) as Pick<TableRoute, "required"> & { readonly properties?: TableRoute["parameters"] }
  const inPath = pathParameters(path)
  return { name: `${method} ${path}`, method, path, right, audit, parameters: properties, inPath, required }
}

/** The routes of the app, as a test finds them. */
export const routeTable = (services: Services, publisher: Publisher): ReadonlyArray<TableRoute> =>
  routesOf({ services, publisher, maxClockAhead: 0, maxAge: 0, spend: () => Promise.resolve() as never }).map(
    tableRoute,
  )

const USUAL: Readonly<Record<string, string>> = {
  from: "2026-10-01",
  to: "2026-10-31",
  metric: "contacts_created",
}

/** The address of a call with the given parameters and some value for every other one that is required. */
export const addressOf = (
  { path, parameters, inPath, required }: TableRoute,
  given: Readonly<Record<string, string>> = {},
): string => {
  const valueOf = (name: string): string => {
    const { enum: values = [], items } = parameters[name] ?? {}
    return given[name] ?? USUAL[name] ?? values[0] ?? items?.enum?.[0] ?? "nothing"
  }
  const query = Object.keys(parameters).filter(
    (name) => !inPath.includes(name) && (required.includes(name) || name in given || name === "metric"),
  )
  const address = path.replaceAll(/:(\w+)/gu, (_, name: string) => encodeURIComponent(valueOf(name)))
  return query.length === 0
    ? address
    : `${address}?${query.map((name) => `${name}=${encodeURIComponent(valueOf(name))}`).join("&")}`
}

/** All that an answer says, and what its cursor says to whoever decodes it; not what the caller said. */
export const saidBy = (body: unknown): string => {
  if (typeof body !== "object" || body === null) return String(body)
  const { meta: _, ...rest } = body as { readonly meta?: unknown; readonly next_cursor?: unknown }
  const cursor = typeof rest.next_cursor === "string" ? Buffer.from(rest.next_cursor, "base64url") : ""
  return `${JSON.stringify(rest)} ${cursor.toString()}`
}
