import type { JetStreamManager, StoredMsg } from "@nats-io/jetstream"

/**
 * The first message of a stream at or behind a sequence, of a subject where one is given, as the stream's leader says; undefined
 * when there is none. The stream's last sequence does not tell: what stood there may have been deleted.
 */
export const nextMessage = async (
  manager: JetStreamManager,
  stream: string,
  from: number,
  subject = ">",
): Promise<StoredMsg | undefined> => {
  // With a subject the server takes the sequence for the least one; the client's type does not know it.
  const query = { seq: from, next_by_subj: subject }
  return (await manager.streams.getMessage(stream, query)) ?? undefined
}

/** The sequence of that message. */
export const nextSequence = async (...at: Parameters<typeof nextMessage>): Promise<number | undefined> =>
  (await nextMessage(...at))?.seq
