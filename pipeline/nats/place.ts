/** Sequence, consumer sequence, receive time and what still waits, from the reply subject of a delivery. */
export const placeOf = (
  reply: string,
): { seq: number; delivery: number; receivedAt: number; waiting: number } => {
  const tokens = reply.split(".")
  // $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<nanos>.<pending>, or with domain and account
  // hash before the stream on newer servers.
  const at = tokens.length > 9 ? 7 : 5
  const nanos = tokens[at + 2] ?? "0"
  return {
    seq: Number(tokens[at]),
    delivery: Number(tokens[at + 1]),
    receivedAt: Number(nanos.slice(0, -6)),
    waiting: Number(tokens[at + 3]),
  }
}
