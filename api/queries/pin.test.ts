import { expect, it } from "vitest"
import { newTenant } from "../test-app.ts"
import { readNdjson, renderer, snapshotOf } from "../exports/test-render.ts"
import { putActions } from "../test-rows.ts"

const { file } = renderer()

it("holds of other streams what they received before, and nothing when it was pinned while there was one", async () => {
  const own = newTenant()
  const at = (day: number, stream: string, stream_seq: number, received: string) => ({
    id: `e-${day}`,
    type: "note.logged",
    time: `2026-10-${day}T10:00:00.000Z`,
    actor_id: "u",
    stream,
    stream_seq,
    received_at: `2026-11-${received}T00:00:00.000Z`,
  })
  await putActions(own, "UTC", [
    at(21, "ACTIONS_1", 1, "17"),
    at(22, "ACTIONS", 1, "14"),
    at(23, "ACTIONS", 2, "15"),
    at(24, "ACTIONS", 9, "16"),
  ])
  const days = async (pin: { readonly stream?: string; readonly at?: number }) =>
    readNdjson(
      (
        await file(
          { report: "user_actions", format: "ndjson" },
          snapshotOf(own, {
            from: "2026-10-01",
            to: "2026-10-31",
            zone: "UTC",
            pin: { generation: 0, sequence: 5, ...pin },
          }),
        )
      ).bytes,
    ).map(({ occurred_at_utc }) => String(occurred_at_utc).slice(8, 10))
  expect(await days({ stream: "ACTIONS_1", at: Date.UTC(2026, 10, 15, 12) })).toEqual(["23", "22", "21"])
  expect(await days({})).toEqual(["23", "22"])
})
