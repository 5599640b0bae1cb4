import packageJson from "../../package.json" with { type: "json" }
import { rolesGrantable, rolesWith } from "../auth/rights.ts"
import { pathParameters, type Route } from "../http/endpoint.ts"
import { areaOf, TAGS } from "./areas.ts"
import { Components } from "./components.ts"
import { isReport, responsesOf } from "./responses.ts"

type Json = Readonly<Record<string, unknown>>
type Endpoint = Route["endpoint"]

const parametersOf = ({ path, parameters }: Endpoint, components: Components): ReadonlyArray<Json> => {
  if (parameters === undefined) return []
  const { properties = {}, required = [] } = components.answered(parameters) as {
    readonly properties?: Readonly<Record<string, Json>>
    readonly required?: ReadonlyArray<string>
  }
  const inPath = pathParameters(path)
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: inPath.includes(name) ? "path" : "query",
    required: inPath.includes(name) || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema,
    ...(schema["type"] === "array" ? { style: "form", explode: true } : {}),
  }))
}

const headersOf = (endpoint: Endpoint): ReadonlyArray<Json> =>
  Object.entries({
    ...(isReport(endpoint)
      ? { "If-None-Match": "ETags of answers that one has; then 304 may be answered." }
      : {}),
    ...endpoint.headers,
  }).map(([name, description]) => ({
    name,
    in: "header",
    required: false,
    description,
    schema: { type: "string" },
  }))

/** `GET /v1/exports/:id/download` is `getExportsIdDownload`. */
const operationId = ({ method, path }: Endpoint): string =>
  path
    .replace(/^\/v1/u, "")
    .split(/[^A-Za-z0-9]+/u)
    .filter(Boolean)
    .reduce((id, word) => id + word.charAt(0).toUpperCase() + word.slice(1), method.toLowerCase())

const bodyOf = ({ json, body, example }: Endpoint, components: Components): Json | undefined => {
  if (json !== undefined) return { "application/json": { schema: components.sent(json), example } }
  if (body === undefined) return undefined
  return Object.fromEntries(
    Object.entries(body).map(([type, events]) => [
      type,
      { schema: components.events(events), example: events.many ? [example] : example },
    ]),
  )
}

const operationOf = (endpoint: Endpoint, components: Components): Json => {
  const { summary, description, right } = endpoint
  const granted = right === undefined ? [] : rolesGrantable(right)
  const roles = right === undefined ? "" : `Roles: ${rolesWith(right).join(", ")}.`
  const grant = granted.length === 0 ? "" : `With a grant of ${right}: ${granted.join(", ")}.`
  const body = bodyOf(endpoint, components)
  return {
    operationId: operationId(endpoint),
    tags: [areaOf(endpoint.path)],
    summary,
    description: [description, roles, grant].filter(Boolean).join(" "),
    ...(right === undefined ? { security: [] } : {}),
    parameters: [...parametersOf(endpoint, components), ...headersOf(endpoint)],
    ...(body === undefined ? {} : { requestBody: { required: true, content: body } }),
    responses: responsesOf(endpoint, components),
  }
}

/** OpenAPI 3.1, made from the schemas with which the routes check. */
export const openApiDocument = (routes: ReadonlyArray<Route>): Json => {
  const components = new Components()
  const paths: Record<string, Record<string, unknown>> = {}
  for (const { endpoint } of routes) {
    const path = endpoint.path.replaceAll(/:(\w+)/gu, "{$1}")
    paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operationOf(endpoint, components) }
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Tidemark",
      version: packageJson.version,
      description:
        "User-action analytics for hiring platforms. Lists in a query are repeated parameters. Errors are RFC 9457 problems whose `code` is from a closed list; beside those of each operation: what is no HTTP request is answered `malformed_request` (400), one that does not arrive whole `request_timeout` (408), one whose address and headers have more than 1 MiB `headers_too_large` (431), another method `method_not_allowed` (405), with the right ones in Allow. Each GET answers HEAD, too. Every answer carries X-Request-Id.",
    },
    security: [{ key: [] }],
    tags: TAGS,
    paths,
    components: {
      schemas: components.schemas,
      securitySchemes: {
        key: {
          type: "http",
          scheme: "bearer",
          description:
            "A tenant's key, of POST /v1/api-keys or `tidemark keys create`; a token of the host platform (JWT), where the server has its issuer's keys; or the operator's key, `TIDEMARK_ADMIN_KEY`.",
        },
      },
    },
  }
}
