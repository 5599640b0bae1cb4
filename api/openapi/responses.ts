import { Problem, PROBLEMS, type ProblemCode } from "#schemas/problem.ts"
import type { AnswerContent, Route } from "../http/endpoint.ts"
import { limitCodes } from "../limits/limiter.ts"
import type { Components } from "./components.ts"

type Json = Readonly<Record<string, unknown>>
type Endpoint = Route["endpoint"]

const headers = (described: Readonly<Record<string, string>>, required = true): Json =>
  Object.fromEntries(
    Object.entries(described).map(([name, description]) => [
      name,
      { description, required, schema: { type: "string" } },
    ]),
  )

const EVERY = { "X-Request-Id": "Names the request in the server's log and in the audit log." }
const AGAIN = { "Retry-After": "Seconds after which to ask again." }
const BY_STATUS: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  401: { "WWW-Authenticate": "The scheme, and what is wrong with the credential." },
  409: AGAIN,
  416: { "Content-Range": "How many bytes the file has: `bytes */<size>`." },
  429: AGAIN,
  503: AGAIN,
}
/** One of them says what would have been taken. */
const UNSUPPORTED = {
  Accept: "The media types that are taken, when the Content-Type is none of them.",
  "Accept-Encoding": "The encodings that are taken, when the Content-Encoding is none of them.",
}

const isList = (content: object): content is ReadonlyArray<string> => Array.isArray(content)

const contentOf = (content: AnswerContent, components: Components): Json | undefined => {
  if (content === "none") return undefined
  if (content === "text/plain" || content === "text/html")
    return { [content]: { schema: { type: "string" } } }
  // Bytes have no schema in OpenAPI 3.1.
  if (isList(content)) return Object.fromEntries(content.map((type) => [type, {}]))
  return { "application/json": { schema: components.answered(content) } }
}

/** Whether the answer is a report, which carries an entity tag. */
export const isReport = ({ method, right, answers }: Endpoint): boolean => {
  const content = answers[200]?.content
  return (
    method === "GET" &&
    right !== undefined &&
    typeof content !== "string" &&
    content !== undefined &&
    "fields" in content &&
    ["data", "meta"].every((field) => field in (content.fields as object))
  )
}

const TAG = {
  ETag: "Of everything but `request_id` and the times of the asking in `meta`.",
  Vary: "Authorization is among them: the same address has another answer for another tenant.",
}

const answers = (endpoint: Endpoint, components: Components): Json => {
  const given = Object.entries(endpoint.answers).map(([status, answer]) => {
    const content = contentOf(answer.content, components)
    const carried = { ...EVERY, ...(status === "200" && isReport(endpoint) ? TAG : {}), ...answer.headers }
    return [
      status,
      {
        description: answer.description,
        headers: headers(carried),
        ...(content === undefined ? {} : { content }),
      },
    ]
  })
  const unchanged = {
    description: "No number has changed since the answer with this ETag.",
    headers: headers({ ...EVERY, ...TAG }),
  }
  return { ...Object.fromEntries(given), ...(isReport(endpoint) ? { 304: unchanged } : {}) }
}

/** Problems that a route can have because of what it is, beside its own. */
const problemsOf = ({ right, parameters, json, problems = [] }: Endpoint): ReadonlyArray<ProblemCode> => [
  ...problems,
  ...(right === undefined
    ? []
    : ([
        "unauthorized",
        "forbidden",
        "unknown_parameter",
        "overloaded",
        "unavailable",
        ...limitCodes(right),
      ] as const)),
  ...(parameters === undefined || Object.keys(parameters.fields).length === 0
    ? []
    : (["invalid_parameter"] as const)),
  ...(parameters !== undefined && "user_email" in parameters.fields ? (["names_hidden"] as const) : []),
  ...(json === undefined
    ? []
    : (["unsupported_media_type", "malformed_body", "body_too_large", "invalid_body"] as const)),
  "internal",
  "timeout",
]

const problemAnswers = (endpoint: Endpoint, components: Components): Json => {
  const byStatus = Map.groupBy(new Set(problemsOf(endpoint)), (code) => PROBLEMS[code][0])
  const problem = components.answered(Problem)
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code][1]}.`).join(" "),
        headers: {
          ...headers({ ...EVERY, ...BY_STATUS[status] }),
          ...(status === 415 ? headers(UNSUPPORTED, false) : {}),
        },
        content: {
          "application/problem+json": {
            schema: { allOf: [problem, { properties: { code: { enum: codes } } }] },
          },
        },
      },
    ]),
  )
}

/** Every status that an operation answers with. */
export const responsesOf = (endpoint: Endpoint, components: Components): Json => ({
  ...answers(endpoint, components),
  ...problemAnswers(endpoint, components),
})
