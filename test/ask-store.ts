import { inject } from "vitest"

/** The server's refusal of a statement. */
class Refused extends Error {
  readonly code: number
  constructor(code: number, text: string) {
    super(text)
    this.code = code
  }
}

export interface Asking {
  readonly user: string
  readonly password?: string
  readonly url?: string
  /** Further fields of the address: settings, `param_…`. */
  readonly fields?: Readonly<Record<string, string>>
}

/** The rows of a statement over plain HTTP, as any BI tool gets them; `Refused` when the server refuses it. */
export const ask = async <Row = Readonly<Record<string, unknown>>>(
  statement: string,
  { user, password = "", url = inject("clickhouseUrl"), fields = {} }: Asking,
): Promise<ReadonlyArray<Row>> => {
  const response = await fetch(`${url}/?${new URLSearchParams({ wait_end_of_query: "1", ...fields })}`, {
    method: "POST",
    body: statement,
    headers: {
      "X-ClickHouse-User": user,
      "X-ClickHouse-Key": password,
      "X-ClickHouse-Format": "JSONEachRow",
    },
  })
  const text = await response.text()
  if (!response.ok) throw new Refused(Number(response.headers.get("X-ClickHouse-Exception-Code")), text)
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Row)
}
