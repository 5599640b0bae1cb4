import { type JsonSchema, Schema } from "effect"
import { Problem, PROBLEMS, type ProblemCode } from "#schemas/problem.ts"
import { rolesGrantable, rolesWith } from "../auth/rights.ts"
import { type AnswerContent, pathParameters, type Route } from "../http/endpoint.ts"

type Json = Readonly<Record<string, unknown>>
type Endpoint = Route["endpoint"]

const LOCAL = "#/$defs/"
const SHARED = "#/components/schemas/"

/** JSON Schemas of the specification; what has an identifier is written once, under the components. */
class Components {
  readonly schemas: Record<string, unknown> = {}

  add(schema: Schema.Constraint): JsonSchema.JsonSchema {
    const document = Schema.toJsonSchemaDocument(Schema.toType(schema))
    for (const [name, definition] of Object.entries(document.definitions))
      this.schemas[name] = relocated(definition)
    return relocated(document.schema)
  }
}

const relocated = (schema: JsonSchema.JsonSchema): JsonSchema.JsonSchema =>
  JSON.parse(JSON.stringify(schema), (key, value: unknown) =>
    key === "$ref" && typeof value === "string" ? value.replace(LOCAL, SHARED) : value,
  ) as JsonSchema.JsonSchema

const parametersOf = ({ path, parameters }: Endpoint, components: Components): ReadonlyArray<Json> => {
  if (parameters === undefined) return []
  const { properties = {}, required = [] } = components.add(parameters) as {
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

const headersOf = ({ headers = {} }: Endpoint): ReadonlyArray<Json> =>
  Object.entries(headers).map(([name, description]) => ({
    name,
    in: "header",
    required: false,
    description,
    schema: { type: "string" },
  }))

const contentOf = (content: Exclude<AnswerContent, "none">, components: Components): Json => {
  if (content === "text/plain" || content === "text/html")
    return { [content]: { schema: { type: "string" } } }
  // Bytes have no schema in OpenAPI 3.1.
  if (content === "application/octet-stream") return { "application/octet-stream": {} }
  return { "application/json": { schema: components.add(content) } }
}

/** Problems that a route can have because of what it is, beside its own. */
const problemsOf = ({ right, parameters, json, problems = [] }: Endpoint): ReadonlyArray<ProblemCode> => [
  ...problems,
  ...(right === undefined ? [] : (["unauthorized", "forbidden", "overloaded", "unavailable"] as const)),
  ...(parameters === undefined ? [] : (["unknown_parameter"] as const)),
  ...(parameters === undefined || Object.keys(parameters.fields).length === 0
    ? []
    : (["invalid_parameter"] as const)),
  ...(json === undefined
    ? []
    : (["unsupported_media_type", "malformed_body", "body_too_large", "invalid_body"] as const)),
  "internal",
  "timeout",
]

const problemAnswers = (endpoint: Endpoint, components: Components): Json => {
  const byStatus = new Map<number, Array<ProblemCode>>()
  for (const code of new Set(problemsOf(endpoint))) {
    const [status] = PROBLEMS[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  const schema = components.add(Problem)
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code][1]}.`).join(" "),
        content: { "application/problem+json": { schema } },
      },
    ]),
  )
}

const operationOf = (endpoint: Endpoint, components: Components): Json => {
  const { summary, description, right, json, answers } = endpoint
  const body = json === undefined ? endpoint.body : { "application/json": json }
  const granted = right === undefined ? [] : rolesGrantable(right)
  const roles = right === undefined ? "" : `Roles: ${rolesWith(right).join(", ")}.`
  const grant = granted.length === 0 ? "" : `With a grant of ${right}: ${granted.join(", ")}.`
  const content = Object.entries(body ?? {}).map(([type, schema]) => [
    type,
    { schema: components.add(schema) },
  ])
  return {
    summary,
    description: [description, roles, grant].filter(Boolean).join(" "),
    ...(right === undefined ? { security: [] } : {}),
    parameters: [...parametersOf(endpoint, components), ...headersOf(endpoint)],
    ...(body === undefined ? {} : { requestBody: { required: true, content: Object.fromEntries(content) } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, answer]) => [
          status,
          {
            description: answer.description,
            ...(answer.content === "none" ? {} : { content: contentOf(answer.content, components) }),
          },
        ]),
      ),
      ...problemAnswers(endpoint, components),
    },
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
      version: "1",
      description:
        "User-action analytics for hiring platforms. Lists in a query are repeated parameters. Errors are RFC 9457 problems whose `code` is from a closed list. Every answer carries X-Request-Id.",
    },
    security: [{ key: [] }],
    paths,
    components: {
      schemas: components.schemas,
      securitySchemes: {
        key: { type: "http", scheme: "bearer", description: "A key of `tidemark keys create`." },
      },
    },
  }
}
