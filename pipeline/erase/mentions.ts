import { readDeadLetterId } from "#schemas/dead-letter.ts"
import { STREAMS } from "#schemas/names.ts"
import type { StreamMessage } from "#nats/reader.ts"
import { type Concerned, isOf, type Person } from "./person.ts"

const parsed = ({ payload }: StreamMessage): unknown => {
  try {
    return JSON.parse(Buffer.from(payload).toString()) as unknown
  } catch {
    return undefined
  }
}

const dataOf = (message: StreamMessage): Readonly<Record<string, unknown>> | undefined => {
  const event = parsed(message)
  if (typeof event !== "object" || event === null || !("data" in event)) return undefined
  const { data } = event
  return typeof data === "object" && data !== null ? (data as Readonly<Record<string, unknown>>) : undefined
}

const tenantOf = (subject: string): string | undefined => subject.split(".")[2]

/** An action of the person, valid or not. */
export const isActionOf =
  ({ tenant, kind, id }: Person) =>
  (message: StreamMessage): boolean => {
    const data = tenantOf(message.subject) === tenant ? dataOf(message) : undefined
    return data !== undefined && isOf(kind, id, data as unknown as Concerned)
  }

/** An event of the directory about the person, but for the one that says that they were erased. */
export const isDirectoryOf =
  ({ tenant, kind, id }: Person) =>
  (message: StreamMessage): boolean => {
    if (tenantOf(message.subject) !== tenant || message.subject.endsWith(".erased")) return false
    return dataOf(message)?.[`${kind}_id`] === id
  }

/**
 * A dead letter that names the person, readable or not: its bytes hold the id in quotes. Of one who is pseudonymised only
 * those of the directory, where the names are.
 */
export const isLetterOf =
  ({ tenant, id }: Person, mode: "pseudonymise" | "delete") =>
  ({ subject, payload, messageId = "" }: StreamMessage): boolean =>
    tenantOf(subject) === tenant &&
    (mode === "delete" || readDeadLetterId(messageId)?.stream === STREAMS.directory) &&
    Buffer.from(payload).includes(JSON.stringify(id))
