// The lexical rules of the contract, each once. `u` makes a pattern appear in JSON Schema.
export const TENANT = /^[a-z0-9-]{1,63}$/u
export const EVENT_ID = /^[A-Za-z0-9._:-]{1,100}$/u
export const EVENT_TYPE = /^[a-z0-9_]+\.[a-z0-9_]+$/u
/** RFC 3339 with an upper-case `T` and `Z` or a numeric offset. The calendar itself is checked by `parseTime`. */
export const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/u
/** The characters of a URI (RFC 3986), with whole percent escapes and at most one fragment. */
export const URI_REFERENCE =
  /^(?:[A-Za-z0-9._~:/?[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*(?:#(?:[A-Za-z0-9._~:/?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?$/u
/** Good enough to tell an address from an opaque id. */
export const EMAIL = /^[^@\s]+@[^@\s]+\.[^@\s]+$/u
export const DATE = /^\d{4}-\d{2}-\d{2}$/u
/** The form of a name in the IANA time zone database. */
export const ZONE = /^[A-Z][A-Za-z0-9_+-]{0,40}(?:\/[A-Z][A-Za-z0-9_+-]{0,40}){0,2}$/u
