import { randomUUID } from "node:crypto"
import { addAbortSignal, Readable } from "node:stream"
import { ClickHouseLogLevel, type ClickHouseSettings, createClient } from "@clickhouse/client"
import { Context, Effect, Layer } from "effect"
import { EXCEPTION_TAG, readBody } from "./body.ts"
import { type ClickHouseError, toClickHouseError } from "./error.ts"
import { watchStatement } from "./lost-answer.ts"

export { ClickHouseError, type ClickHouseReason } from "./error.ts"

export interface Connection {
  /** `http://host:8123` */
  readonly url: string
  readonly user: string
  readonly password: string
  /** Gives up statements of whose answer nothing is left; the user must be able to read `system.processes`. */
  readonly watch?: boolean
}

export interface StatementOptions {
  /** Values of `{name:Type}` in the statement. User input goes here and nowhere else. */
  readonly params?: Readonly<Record<string, unknown>>
  readonly settings?: ClickHouseSettings
  readonly queryId?: string
}

export interface InsertOptions extends StatementOptions {
  /** The whole statement, ending in `FORMAT Native`, `FORMAT JSONEachRow` …; its data follows in the body. */
  readonly statement: string
  readonly body: ReadonlyArray<Uint8Array>
}

export interface StreamOptions extends StatementOptions {
  /** Ends the query; the iterator then throws. */
  readonly signal?: AbortSignal
}

/**
 * The store, over HTTP. Interrupting a fiber closes its connection, which cancels a query that only reads; an
 * insert may go on and is the writer's doubt.
 */
export class ClickHouse extends Context.Service<
  ClickHouse,
  {
    /** Rows of a SELECT as objects; 64-bit integers are numbers while they are safe. */
    readonly query: <Row>(
      statement: string,
      options?: StatementOptions,
    ) => Effect.Effect<ReadonlyArray<Row>, ClickHouseError>
    /** A statement without a result. */
    readonly command: (statement: string, options?: StatementOptions) => Effect.Effect<void, ClickHouseError>
    /**
     * The bytes of a SELECT that ends in `FORMAT …`, while the server makes them: the query begins when the first
     * bytes are asked for, the server waits when nobody reads, and leaving the loop ends it. Throws a ClickHouseError,
     * in the middle as well: a result that ends without one is whole.
     */
    readonly stream: (statement: string, options?: StreamOptions) => AsyncIterable<Buffer>
    /** An insert whose body is encoded already. */
    readonly insert: (options: InsertOptions) => Effect.Effect<void, ClickHouseError>
  }
>()("tidemark/pipeline/ClickHouse") {
  static readonly layer = (connection: Connection) =>
    Layer.effect(
      ClickHouse,
      Effect.gen(function* () {
        const client = yield* Effect.acquireRelease(
          Effect.sync(() =>
            createClient({
              url: connection.url,
              username: connection.user,
              password: connection.password,
              application: "tidemark",
              // Its log lines quote server messages, which may quote a customer's row; errors are ours to log.
              log: { level: ClickHouseLogLevel.OFF },
              // Statements bring their own limits; this one is for a server that stopped answering.
              request_timeout: 330_000,
              max_open_connections: 16,
              // Thousands of ids do not fit into a URL.
              use_multipart_params_auto: true,
              // No clock of the client's (1.23): it forgets the one of a connection that is given to a request and taken
              // back at once, and ends that connection later, in the middle of another result. Node's agent lets go of
              // idle ones a second before the time that the server names.
              keep_alive: { enabled: true, idle_socket_ttl: 0 },
              clickhouse_settings: {
                // An error in the middle of a result is an error, not a short result.
                wait_end_of_query: 1,
                output_format_json_quote_64bit_integers: 0,
                date_time_output_format: "iso",
              },
            }),
          ),
          (client) => Effect.promise(() => client.close()),
        )
        const commonOf = (options: StatementOptions | undefined, signal: AbortSignal, queryId?: string) => ({
          abort_signal: signal,
          ...(options?.params === undefined ? {} : { query_params: { ...options.params } }),
          ...(options?.settings === undefined ? {} : { clickhouse_settings: options.settings }),
          ...(queryId === undefined ? {} : { query_id: queryId }),
        })
        const attempt = <A>(
          options: StatementOptions | undefined,
          run: (common: ReturnType<typeof commonOf>) => Promise<A>,
        ) =>
          Effect.suspend(() => {
            const queryId = options?.queryId ?? randomUUID()
            const answer = Effect.tryPromise({
              try: (signal) => run(commonOf(options, signal, queryId)),
              catch: toClickHouseError,
            })
            return connection.watch === true
              ? Effect.raceFirst(answer, watchStatement(client, queryId))
              : answer
          })

        return ClickHouse.of({
          query: <Row>(statement: string, options?: StatementOptions) =>
            attempt(options, async (common) => {
              const result = await client.query({ query: statement, format: "JSONEachRow", ...common })
              return await result.json<Row>()
            }),
          command: (statement, options) =>
            attempt(options, async (common) => {
              await client.command({ query: statement, ...common })
            }),
          stream: async function* (statement, { signal = new AbortController().signal, ...options } = {}) {
            const { stream, response_headers } = await client
              .exec({
                query: statement,
                ...commonOf(options, signal, options.queryId),
                clickhouse_settings: { ...options.settings, wait_end_of_query: 0 },
              })
              .catch((error: unknown) => {
                throw toClickHouseError(error)
              })
            // The client listens to the signal up to here.
            addAbortSignal(signal, stream)
            yield* readBody(stream, String(response_headers[EXCEPTION_TAG] ?? ""))
          },
          insert: ({ statement, body, ...options }) =>
            attempt(options, async (common) => {
              const result = await client.exec({
                query: statement,
                values: Readable.from(body, { objectMode: false }),
                ...common,
              })
              // The server may say what is wrong only at the end of its answer.
              for await (const _ of result.stream) void _
            }),
        })
      }),
    )
}
