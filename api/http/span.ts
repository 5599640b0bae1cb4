import { Effect, Tracer } from "effect"

const TRACEPARENT = /^00-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/u

/** The caller's span, by W3C Trace Context; undefined when the header is absent or of another form. */
const parentOf = (header: string | undefined): Tracer.ExternalSpan | undefined => {
  const [, traceId, spanId, flags = "0"] = TRACEPARENT.exec(header ?? "") ?? []
  return traceId === undefined || spanId === undefined
    ? undefined
    : Tracer.externalSpan({ traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 })
}

/** A request as a span, within that of its caller. */
export const asSpan =
  (call: { readonly method: string; readonly route: string; readonly traceparent: string | undefined }) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>> => {
    const parent = parentOf(call.traceparent)
    return Effect.withSpan(effect, `${call.method} ${call.route}`, {
      kind: "server",
      attributes: { "http.request.method": call.method, "http.route": call.route },
      ...(parent === undefined ? {} : { parent }),
    })
  }
