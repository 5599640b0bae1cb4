import type { JetStreamManager } from "@nats-io/jetstream"

/**
 * The first sequence at or behind one at which the stream holds a message, as its leader says; undefined when there is
 * none. The stream's last sequence does not tell: what stood there may have been deleted.
 */
export const nextSequence = async (
  manager: JetStreamManager,
  stream: string,
  from: number,
  subject = ">",
): Promise<number | undefined> => {
  // The server knows it, the client's type does not.
  const query = { seq: from, next_by_subj: subject }
  return (await manager.streams.getMessage(stream, query))?.seq
}
