import type { Limits } from "#schemas/decode.ts"
import type { DeadLetterRow, DeadLetterView } from "#schemas/dead-letters.ts"
import type { Handled } from "./letters.ts"
import { obstacleOf } from "./replay.ts"

const instant = (milliseconds: number): string => new Date(milliseconds).toISOString()

/** A letter as lists show it. */
export const rowOf = ({ letter, fate }: Handled): DeadLetterRow => ({
  id: letter.id,
  reason: letter.reason,
  detail: letter.detail,
  refused_at: instant(letter.buriedAt),
  received_at: instant(letter.receivedAt),
  stream: letter.stream,
  sequence: letter.sequence,
  subject: letter.subject,
  bytes: letter.payload.byteLength,
  state: fate?.fate ?? "open",
  handled_at: fate?.at ?? null,
  handled_by: fate?.by ?? null,
  replays: fate?.replays ?? 0,
})

const textOf = (payload: Uint8Array): string | null => {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(payload)
  } catch {
    return null
  }
}

/** A letter with everything that is known of it. */
export const viewOf = (handled: Handled, limits: Limits, now: number): DeadLetterView => ({
  ...rowOf(handled),
  payload: textOf(handled.letter.payload),
  payload_base64: Buffer.from(handled.letter.payload).toString("base64"),
  obstacle: obstacleOf(handled.letter, limits, now) ?? null,
})
