import { Layer } from "effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import packageJson from "../package.json" with { type: "json" }
import type { Settings } from "./settings.ts"

/**
 * Spans to a collector of OpenTelemetry, over HTTP with JSON, while an endpoint is set; nothing otherwise. Effect's own
 * exporter: the spans are those of its functions, and no further package is needed.
 */
export const tracing = ({ otel }: Settings) =>
  otel === undefined
    ? Layer.empty
    : OtlpTracer.layer({
        url: `${otel.endpoint.replace(/\/$/u, "")}/v1/traces`,
        resource: { serviceName: otel.serviceName, serviceVersion: packageJson.version },
        headers: otel.headers,
        exportInterval: "2 seconds",
        // What is left is lost when the collector is away: an end in time comes first.
        shutdownTimeout: "1 second",
      }).pipe(Layer.provide([OtlpSerialization.layerJson, FetchHttpClient.layer]))
