import { type Refused, refuse } from "../http/failure.ts"

/** The request brought a credential that opens nothing. */
export const INVALID = ', error="invalid_token"'

/** A refusal that says how to come in. */
export const challenge = (detail: string, error = ""): Refused =>
  refuse(
    "unauthorized",
    detail,
    { hint: "Send a key in the header `Authorization: Bearer <key>`." },
    { "WWW-Authenticate": `Bearer realm="tidemark"${error}` },
  )
