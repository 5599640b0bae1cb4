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

/**
 * An event of the directory about the person, but for the one that says that they were erased. Of one who is pseudonymised
 * only those with the name: licences and targets name nobody, and numbers hang on them.
 */
export const isDirectoryOf =
  ({ tenant, kind, id }: Person, mode: "pseudonymise" | "delete") =>
  (message: StreamMessage): boolean => {
    const { subject } = message
    if (tenantOf(subject) !== tenant || subject.endsWith(".erased")) return false
    if (mode === "pseudonymise" && !subject.endsWith(`.${kind}.upserted`)) return false
    return dataOf(message)?.[`${kind}_id`] === id
  }

/**
 * A dead letter that names the person, readable or not: its bytes hold the id in quotes. Of one who is pseudonymised only
 * those of the directory, where the names are. The audit log's are left: it says who saw what, by id.
 */
export const isLetterOf =
  ({ tenant, id }: Person, mode: "pseudonymise" | "delete") =>
  ({ subject, payload, messageId = "" }: StreamMessage): boolean => {
    const stream = readDeadLetterId(messageId)?.stream
    const isMeant = mode === "delete" ? stream !== STREAMS.audit : stream === STREAMS.directory
    return (
      stream !== undefined &&
      isMeant &&
      tenantOf(subject) === tenant &&
      Buffer.from(payload).includes(JSON.stringify(id))
    )
  }
