import type { ClickHouse } from "#clickhouse"
import { Effect, type Schema } from "effect"
import type { Nats } from "#nats/connection.ts"
import type { AuditAction } from "#schemas/audit.ts"
import type { ProblemCode } from "#schemas/problem.ts"
import type { Credential, TenantCredential } from "../auth/credential.ts"
import type { Right } from "../auth/rights.ts"
import type { Answer } from "./answer.ts"
import { type Failure, type Refused, refuse } from "./failure.ts"

/** Parameters: a struct of what each one decodes to. Those that the path names come from it, the others from the query. */
export type Parameters<P> = Schema.Decoder<P> & {
  readonly fields: Readonly<Record<string, Schema.Constraint>>
}

/** What a route promises; the router obeys it and `/openapi.json` is written from it. */
export interface Endpoint<P, B> {
  readonly method: "GET" | "POST" | "PUT" | "DELETE"
  /** With parameters as Hono writes them: `/v1/exports/:id`. */
  readonly path: string
  readonly summary: string
  readonly description?: string
  /** What the credential must allow; undefined: open to everybody. */
  readonly right?: Right
  /** As what a call is put on record before its answer is given; the operator's calls always are. */
  readonly audit?: AuditAction
  readonly parameters?: Parameters<P>
  /** Headers that the handler looks at, each with what it is for. */
  readonly headers?: Readonly<Record<string, string>>
  /** A JSON body, which is decoded for the handler. */
  readonly json?: Schema.Decoder<B>
  /** Media types of a body that the handler reads itself, each with the events that it carries. */
  readonly body?: Readonly<Record<string, Events>>
  /** A body to start from; of events, one of them. */
  readonly example?: object
  readonly answers: Readonly<
    Record<
      number,
      {
        readonly description: string
        readonly content: AnswerContent
        /** Headers that it always carries, each with what it says. */
        readonly headers?: Readonly<Record<string, string>>
      }
    >
  >
  /** Problems beyond those that every route of its kind can have. */
  readonly problems?: ReadonlyArray<ProblemCode>
}

/** Events in a body: one, or an array of them. */
export interface Events {
  readonly kind: "ActionEvent" | "DirectoryEvent"
  readonly many: boolean
}

/** A JSON answer's schema, the type of a text, the media types that a file can have, or no body. */
export type AnswerContent = Schema.Constraint | "text/plain" | "text/html" | ReadonlyArray<string> | "none"

/** One request, checked. */
export interface Call<P, B = undefined> {
  readonly parameters: P
  readonly body: B
  readonly credential: Credential
  readonly requestId: string
  readonly request: Request
}

export type Handler<P, B> = (call: Call<P, B>) => Effect.Effect<Answer, Failure, ClickHouse | Nats>

/** A route whose parameters' and body's types are known to its handler alone. */
export interface Route {
  readonly endpoint: Endpoint<unknown, unknown>
  readonly handle: Handler<never, never>
}

export const route = <P, B = undefined>(endpoint: Endpoint<P, B>, handle: Handler<P, B>): Route => ({
  endpoint: endpoint as Endpoint<unknown, unknown>,
  handle: handle as Handler<never, never>,
})

/** Names of the parameters in a path. */
export const pathParameters = (path: string): ReadonlyArray<string> =>
  [...path.matchAll(/:(\w+)/gu)].map(([, name = ""]) => name)

/** The credential of somebody who belongs to a tenant; the operator belongs to none. */
export const ofTenant = (credential: Credential): Effect.Effect<TenantCredential, Refused> =>
  credential.tenant === undefined
    ? Effect.fail(
        refuse("forbidden", "The operator belongs to no tenant.", { hint: "Use a key of the tenant." }),
      )
    : Effect.succeed(credential)
