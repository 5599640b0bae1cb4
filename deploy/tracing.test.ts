import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { asSpan } from "../api/http/span.ts"
import { readSettings } from "./settings.ts"
import { tracing } from "./tracing.ts"

interface Received {
  readonly path: string
  readonly key: string | undefined
  readonly spans: ReadonlyArray<{
    readonly name: string
    readonly traceId: string
    readonly parentSpanId?: string
    readonly attributes: ReadonlyArray<{ readonly key: string; readonly value: object }>
  }>
  readonly service: unknown
}

/** A collector that keeps what it is sent. */
const collector = Effect.acquireRelease(
  Effect.promise(
    () =>
      new Promise<{ readonly url: string; readonly received: Array<Received>; readonly close: () => void }>(
        (resolve) => {
          const received: Array<Received> = []
          const server = createServer(async (request, response) => {
            const chunks: Array<Buffer> = []
            for await (const chunk of request) chunks.push(chunk as Buffer)
            const body = JSON.parse(Buffer.concat(chunks).toString())
            for (const { resource, scopeSpans } of body.resourceSpans)
              received.push({
                path: request.url ?? "",
                key: request.headers["x-key"] as string | undefined,
                spans: scopeSpans.flatMap(({ spans }: { spans: Received["spans"] }) => spans),
                service: resource.attributes,
              })
            response.setHeader("content-type", "application/json").end("{}")
          })
          server.listen(0, "127.0.0.1", () => {
            const { port } = server.address() as AddressInfo
            resolve({ url: `http://127.0.0.1:${port}`, received, close: () => void server.close() })
          })
        },
      ),
  ),
  ({ close }) => Effect.sync(close),
)

it.live(
  "spans reach the collector with their route and the caller's trace, when the process ends at the latest",
  () =>
    Effect.gen(function* () {
      const { url, received } = yield* collector
      const settings = readSettings({
        OTEL_EXPORTER_OTLP_ENDPOINT: `${url}/`,
        OTEL_SERVICE_NAME: "tidemark-test",
        OTEL_EXPORTER_OTLP_HEADERS: "x-key=secret",
      })
      const inner = Effect.fn("readRows")(function* () {
        yield* Effect.annotateCurrentSpan({ rows: 3 })
      })
      yield* inner().pipe(
        asSpan({
          method: "GET",
          route: "/v1/actions",
          traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        }),
        Effect.provide(tracing(settings)),
      )
      expect(received.map(({ path, key }) => [path, key])).toEqual([["/v1/traces", "secret"]])
      const spans = received.flatMap((part) => part.spans)
      expect(spans.map(({ name }) => name).toSorted()).toEqual(["GET /v1/actions", "readRows"])
      expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(
        new Set(["0af7651916cd43dd8448eb211c80319c"]),
      )
      expect(spans.find(({ name }) => name.startsWith("GET"))).toMatchObject({
        parentSpanId: "b7ad6b7169203331",
        attributes: expect.arrayContaining([{ key: "http.route", value: { stringValue: "/v1/actions" } }]),
      })
      expect(JSON.stringify(received[0]?.service)).toContain("tidemark-test")
    }).pipe(Effect.scoped),
)

it.live("a collector that is away holds up and breaks nothing", () =>
  Effect.gen(function* () {
    const began = Date.now()
    const settings = readSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" })
    const answer = Effect.succeed("answered").pipe(
      asSpan({ method: "GET", route: "/", traceparent: undefined }),
      Effect.provide(tracing(settings)),
    )
    expect(yield* answer).toBe("answered")
    expect(Date.now() - began).toBeLessThan(5000)
  }),
)
