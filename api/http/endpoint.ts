import type { ClickHouse } from "#clickhouse"
import { Effect, type Schema } from "effect"
import type { Nats } from "#nats/connection.ts"
import type { ProblemCode } from "#schemas/problem.ts"
import type { Credential, Right } from "../auth/credential.ts"
import type { Answer } from "./answer.ts"
import { type Failure, type Refused, refuse } from "./failure.ts"

/** Query parameters: a struct of what each one decodes to. */
export type Parameters<P> = Schema.Decoder<P> & {
  readonly fields: Readonly<Record<string, Schema.Constraint>>
}

/** What a route promises; the router obeys it and `/openapi.json` is written from it. */
export interface Endpoint<P> {
  readonly method: "GET" | "POST"
  readonly path: string
  readonly summary: string
  readonly description?: string
  /** What the credential must allow; undefined: open to everybody. */
  readonly right?: Right
  readonly parameters?: Parameters<P>
  /** Media types of the body, each with the schema of what it carries. */
  readonly body?: Readonly<Record<string, Schema.Constraint>>
  readonly answers: Readonly<
    Record<number, { readonly description: string; readonly content: AnswerContent }>
  >
  /** Problems beyond those that every route of its kind can have. */
  readonly problems?: ReadonlyArray<ProblemCode>
}

/** A JSON answer's schema, or the media type of another one. */
export type AnswerContent = Schema.Constraint | "text/plain"

/** One request, checked. */
export interface Call<P> {
  readonly parameters: P
  readonly credential: Credential
  readonly requestId: string
  readonly request: Request
}

export type Handler<P> = (call: Call<P>) => Effect.Effect<Answer, Failure, ClickHouse | Nats>

/** A route whose parameters' type is known to its handler alone. */
export interface Route {
  readonly endpoint: Endpoint<unknown>
  readonly handle: Handler<never>
}

export const route = <P>(endpoint: Endpoint<P>, handle: Handler<P>): Route => ({
  endpoint: endpoint as Endpoint<unknown>,
  handle: handle as Handler<never>,
})

/** The tenant that a credential belongs to; the operator belongs to none. */
export const tenantOf = ({ tenant }: Credential): Effect.Effect<string, Refused> =>
  tenant === undefined
    ? Effect.fail(
        refuse("forbidden", "The operator belongs to no tenant.", { hint: "Use a key of the tenant." }),
      )
    : Effect.succeed(tenant)
