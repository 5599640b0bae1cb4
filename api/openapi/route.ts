import { Effect, Schema } from "effect"
import { ok } from "../http/answer.ts"
import { type Route, route } from "../http/endpoint.ts"
import { openApiDocument } from "./document.ts"

const endpoint = {
  method: "GET",
  path: "/openapi.json",
  summary: "This document",
  answers: { 200: { description: "OpenAPI 3.1.", content: Schema.Record(Schema.String, Schema.Unknown) } },
} as const

/** Describes the given routes and itself. */
export const openApiRoute = (routes: ReadonlyArray<Route>): Route => {
  const document = openApiDocument([...routes, route(endpoint, () => Effect.succeed(ok(null)))])
  return route(endpoint, () => Effect.succeed(ok(document)))
}
