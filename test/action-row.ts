import type { StreamMessage } from "#nats/reader.ts"
import type { ActionRow } from "../pipeline/writer/action-row.ts"
import { actionEvent, RECEIVED_AT } from "./arrival.ts"

/** A row as the writer has it, of which a test says what matters to it. */
export const actionRow = (
  row: Partial<Omit<ActionRow, "event">> & { readonly id?: string } = {},
): ActionRow => {
  const { id = "e-1", ...rest } = row
  const tenant = rest.tenant ?? "acme"
  const event = actionEvent({ id, tenantid: tenant }) as unknown as ActionRow["event"]
  return {
    seq: 1,
    receivedAt: RECEIVED_AT,
    time: RECEIVED_AT,
    tenant,
    event,
    zone: "UTC",
    localDay: 0,
    replayed: false,
    ...rest,
  }
}

/** A message as the stream has it, with a valid event unless another payload is given. */
export const streamMessage = (seq: number, message: Partial<StreamMessage> = {}): StreamMessage => ({
  seq,
  receivedAt: RECEIVED_AT,
  subject: "actions.v1.acme.cv.downloaded",
  messageId: `acme:e-${seq}`,
  payload: Buffer.from(JSON.stringify(actionEvent({ id: `e-${seq}` }))),
  ...message,
})
