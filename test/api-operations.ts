// The operations of the specification, calls of them made from it, and answers held against it.
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js"
import { Context } from "effect"
import { expect } from "vitest"
import { makeApp } from "../api/app.ts"
import type { Got } from "../api/test-app.ts"

export type Json = Readonly<Record<string, unknown>>

export interface Parameter {
  readonly name: string
  readonly in: "query" | "path" | "header"
  readonly required: boolean
  readonly schema: Json
}

interface Response {
  readonly headers?: Readonly<Record<string, { readonly required: boolean }>>
  readonly content?: Readonly<Record<string, { readonly schema?: Json }>>
}

export interface Operation {
  /** `GET /v1/exports/{id}` */
  readonly name: string
  readonly method: string
  readonly path: string
  /** Whether it takes a credential. */
  readonly isSecured: boolean
  readonly parameters: ReadonlyArray<Parameter>
  /** Media types of the body, none when there is no body. */
  readonly bodies: ReadonlyArray<string>
  /** What a body of the first of them must be, and an example of it. */
  readonly taken: Json | undefined
  readonly example: unknown
  /** What a JSON body is like. */
  readonly body: Json
  readonly responses: Readonly<Record<string, Response>>
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>
  readonly components: { readonly schemas: Json }
}

interface RawOperation {
  readonly security?: ReadonlyArray<unknown>
  readonly parameters?: ReadonlyArray<Parameter>
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: Json; readonly example: unknown }>>
  }
  readonly responses: Readonly<Record<string, Response>>
}

/** The specification of an app that has no services: it answers this call without them. */
const document = (await (
  await makeApp({
    services: Context.empty() as never,
    publisher: undefined as never,
    files: {} as never,
    adminKey: "",
    maxClockAhead: 0,
    maxAge: 0,
  }).request("/openapi.json")
).json()) as Document

/** A schema, or the one that it refers to. */
export const resolved = (schema: Json): Json => {
  const { $ref: reference } = schema
  return typeof reference === "string"
    ? (document.components.schemas[reference.slice(reference.lastIndexOf("/") + 1)] as Json)
    : schema
}

const operationsOf = ({ paths }: Document): ReadonlyArray<Operation> =>
  Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { security, parameters = [], requestBody, responses }]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      isSecured: security === undefined,
      parameters,
      bodies: Object.keys(requestBody?.content ?? {}),
      taken: Object.values(requestBody?.content ?? {})[0]?.schema,
      example: Object.values(requestBody?.content ?? {})[0]?.example,
      body: requestBody?.content["application/json"]?.schema ?? {},
      responses,
    })),
  )

/** Every operation there is, so that a new one is tested by itself. */
export const OPERATIONS = operationsOf(document)

/** What a call says; whatever is absent is left out. */
export interface Said {
  readonly path?: Readonly<Record<string, string>>
  readonly query?: ReadonlyArray<readonly [string, string]>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

const USUAL: Readonly<Record<string, string>> = { from: "2026-10-01", to: "2026-10-31" }

/** Some value that a required parameter takes. */
const usual = ({ name, schema }: Parameter): string => {
  const [first] = (schema["enum"] as ReadonlyArray<string> | undefined) ?? []
  return USUAL[name] ?? first ?? "nothing"
}

/** The required parameters that are not said. */
export const completed = ({ parameters }: Operation, said: Said = {}): Said => {
  const missing = (place: Parameter["in"], names: ReadonlyArray<string>) =>
    parameters
      .filter(({ in: where, name, required }) => where === place && required && !names.includes(name))
      .map((parameter) => [parameter.name, usual(parameter)] as const)
  const { query = [], path = {} } = said
  return {
    ...said,
    query: [
      ...query,
      ...missing(
        "query",
        query.map(([name]) => name),
      ),
    ],
    path: { ...Object.fromEntries(missing("path", Object.keys(path))), ...path },
  }
}

/** Address and options of a call, as `app.request` takes them. */
export const requestOf = (
  operation: Operation,
  { path = {}, query = [], headers = {}, body }: Said,
): readonly [address: string, init: RequestInit] => {
  const address = operation.path.replaceAll(/\{(\w+)\}/gu, (_, name: string) =>
    encodeURIComponent(path[name] ?? ""),
  )
  const search = new URLSearchParams(query.map(([name, value]): [string, string] => [name, value])).toString()
  const [type] = operation.bodies
  return [
    search === "" ? address : `${address}?${search}`,
    {
      method: operation.method,
      headers: { ...(type === undefined ? {} : { "Content-Type": type }), ...headers },
      ...(body === undefined ? {} : { body }),
    },
  ]
}

const ajv = new Ajv2020({ strict: false, validateFormats: false })
ajv.addSchema({ $id: "doc", ...document }, "doc")
const compiled = new Map<string, ValidateFunction>()

const validatorOf = (schema: Json): ValidateFunction => {
  const text = JSON.stringify(schema).replaceAll('"#/components', '"doc#/components')
  const known = compiled.get(text) ?? ajv.compile(JSON.parse(text) as Json)
  compiled.set(text, known)
  return known
}

/** What the specification has against a JSON body, or that there is none; empty when it takes it. */
export const bodyErrors = ({ taken }: Operation, given: Said["body"]): string => {
  if (taken === undefined || given === undefined) return taken === given ? "" : "only one of them has a body"
  const validate = validatorOf(taken)
  return validate(JSON.parse(String(given))) ? "" : JSON.stringify(validate.errors)
}

/** Headers that mean the same everywhere. */
const OF_HTTP = [
  "cache-control",
  "content-encoding",
  "content-length",
  "content-security-policy",
  "content-type",
  "referrer-policy",
  "vary",
  "x-content-type-options",
]

/** Holds an answer against the specification: status, media type, headers and body. */
export const expectDocumented = (
  { name, responses }: Operation,
  { status, headers, body }: Got,
  about = "",
): void => {
  const where = `${name} ${status} ${about} ${JSON.stringify(body)?.slice(0, 400)}`
  const response = responses[String(status)]
  expect(response, `documented: ${where}`).toBeDefined()
  const described = Object.entries(response?.headers ?? {})
  for (const [header, { required }] of described)
    if (required) expect(headers.get(header), `${header}: ${where}`).not.toBeNull()
  const known = new Set(described.map(([header]) => header.toLowerCase()))
  for (const header of headers.keys()) expect([...known, ...OF_HTTP], where).toContain(header)
  const type = headers.get("Content-Type")?.split(";", 1)[0] ?? ""
  const { content } = response ?? {}
  if (content === undefined) return expect(body, where).toBe("")
  expect(Object.keys(content), where).toContain(type)
  const { schema } = content[type] ?? {}
  if (schema === undefined || !type.includes("json")) return
  const validate = validatorOf(schema)
  expect(validate(body), `${where} ${JSON.stringify(validate.errors)?.slice(0, 300)}`).toBe(true)
}
