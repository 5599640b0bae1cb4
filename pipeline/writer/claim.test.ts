import { describe, expect, it } from "vitest"
import { isSafeForReplicas } from "./claim.ts"

describe("a ledger with replicas", () => {
  it.each(["2.10.27", "2.10.28", "2.10.100", "2.11.0", "2.12.0-RC.1", "3.0.0"])(
    "is safe on %s",
    (version) => {
      expect(isSafeForReplicas(version)).toBe(true)
    },
  )
  it.each(["2.9.10", "2.9.99", "2.10.0", "2.10.26", "2.10.26-beta.2", "1.99.99", "2.10", "0", ""])(
    "is not safe on %j",
    (version) => {
      expect(isSafeForReplicas(version)).toBe(false)
    },
  )
})
