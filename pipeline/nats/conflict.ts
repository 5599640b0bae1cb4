import { JetStreamApiCodes, JetStreamApiError } from "@nats-io/jetstream"

/** The broker refused a write to a bucket because the key's revision was not the one that the write names. */
const isConflict = (error: unknown): boolean =>
  error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamWrongLastSequence

/** What a compare-and-swap wrote; undefined when somebody else had written meanwhile, and then nothing is written. */
export const unlessConflict = (write: Promise<number>): Promise<number | undefined> =>
  write.catch((error: unknown) => {
    if (isConflict(error)) return undefined
    throw error
  })
