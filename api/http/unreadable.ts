import { randomUUID } from "node:crypto"
import { STATUS_CODES } from "node:http"
import type { Duplex } from "node:stream"
import type { ProblemCode } from "#schemas/problem.ts"
import { problemOf, refuse } from "./failure.ts"

/** By the codes of Node's parser and server (https://nodejs.org/api/errors.html). */
const BY_ERROR: Readonly<Record<string, readonly [code: ProblemCode, detail: string, hint: string]>> = {
  HPE_HEADER_OVERFLOW: [
    "headers_too_large",
    "The address and the headers together are longer than is taken.",
    "Name fewer values at once.",
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [
    "request_timeout",
    "The request did not arrive whole in time.",
    "Send it again.",
  ],
}
const UNREADABLE = [
  "malformed_request",
  "The request cannot be read as HTTP/1.1.",
  "Mend the client.",
] as const

/** Answers what no route ever sees, because it is no whole request, and closes the connection. */
export const answerUnreadable = (error: NodeJS.ErrnoException, socket: Duplex): void => {
  // Whoever went away is told nothing.
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy()
    return
  }
  const [code, detail, hint] = BY_ERROR[error.code ?? ""] ?? UNREADABLE
  const requestId = randomUUID()
  const problem = problemOf(refuse(code, detail, { hint }), requestId)
  const body = JSON.stringify(problem)
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ""}`,
      "Content-Type: application/problem+json",
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-Id: ${requestId}`,
      "Connection: close",
      "",
      body,
    ].join("\r\n"),
  )
}
