import { describe, expect, it } from "@effect/vitest"
import { Ajv2020 } from "ajv/dist/2020.js"
import { Arbitrary, Effect, Schema } from "effect"
import { DeadLetter, deadLetterId } from "./dead-letter.ts"
import { deadLetterSchema } from "./json-schema.ts"

describe("a dead letter", () => {
  const letter = {
    subject: "actions.v1.acme.cv.downloaded",
    stream: "ACTIONS",
    sequence: 17,
    received_at: "2026-11-02T09:30:01.000Z",
    reason: "too_old",
    detail: "time is older than the store keeps actions",
    payload: "e30=",
  }
  it("is named by the stream and sequence of its original", () => {
    expect(deadLetterId("ACTIONS", 17)).toBe("dead:ACTIONS:17")
  })
  it.effect("has a JSON Schema that takes what the schema makes", () =>
    Effect.gen(function* () {
      const validate = new Ajv2020({ validateFormats: false }).compile(deadLetterSchema)
      const letters = [letter, ...(yield* Arbitrary.sampleEffect(Arbitrary.schema(DeadLetter), { seed: 1 }))]
      expect(letters.filter((value) => !Schema.is(DeadLetter)(value) || !validate(value))).toEqual([])
      for (const wrong of [
        { ...letter, reason: "lost" },
        { ...letter, sequence: 0 },
        { ...letter, detail: undefined },
      ])
        expect([Schema.is(DeadLetter)(wrong), validate(wrong)]).toEqual([false, false])
    }),
  )
})
