import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { asyncApi } from "./asyncapi.ts"
import { DEAD_LETTER_HEADERS, deadLetterId } from "./dead-letter.ts"
import { SENT_ON_HEADER } from "./sent-on.ts"
import { documents, GENERATED } from "./generate.ts"

describe("the AsyncAPI document", () => {
  const document = JSON.parse(JSON.stringify(asyncApi("1.2.3"))) as {
    readonly channels: Record<string, { readonly address: string; readonly parameters: object }>
    readonly components: {
      readonly messages: Record<
        string,
        { readonly headers: { readonly properties: Record<string, { readonly pattern?: string }> } }
      >
    }
  }
  it("has a channel for each kind of subject, with its parameters", () => {
    for (const { address, parameters } of Object.values(document.channels))
      expect(Object.keys(parameters)).toEqual([...address.matchAll(/\{(\w+)\}/gu)].map(([, name]) => name))
    expect(Object.values(document.channels).map(({ address }) => address)).toEqual([
      "actions.v1.{tenant}.{object}.{verb}",
      "directory.v1.{tenant}.{object}.{verb}",
      "dead.v1.{tenant}.{reason}",
    ])
  })
  it("has all headers of a dead letter", () => {
    const headers = document.components.messages["deadLetter"]?.headers.properties ?? {}
    expect(Object.keys(headers)).toEqual([
      "Nats-Msg-Id",
      ...Object.values(DEAD_LETTER_HEADERS),
      SENT_ON_HEADER,
    ])
  })
  it("has a message id that fits what is sent", () => {
    const pattern = (message: string) =>
      new RegExp(
        document.components.messages[message]?.headers.properties["Nats-Msg-Id"]?.pattern ?? "^$",
        "u",
      )
    expect(pattern("actionEvent").test("acme:e:1")).toBe(true)
    expect(pattern("actionEvent").test("acme:e:1:replay:2")).toBe(true)
    expect(pattern("actionEvent").test("ACME:e1")).toBe(false)
    expect(pattern("deadLetter").test(deadLetterId("ACTIONS_0", 5))).toBe(true)
  })
  it("names every reference that it uses", () => {
    const text = JSON.stringify(document)
    const at = (pointer: string) =>
      pointer
        .slice(2)
        .split("/")
        .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], document)
    const references = [...text.matchAll(/"\$ref":"([^"]+)"/gu)].map(([, pointer = ""]) => pointer)
    expect(references.length).toBeGreaterThan(5)
    expect(references.filter((pointer) => at(pointer) === undefined)).toEqual([])
  })
})

it.each([...documents()])("schemas/generated/%s is current; `npm run schemas` makes it so", (name, text) => {
  expect(readFileSync(join(GENERATED, name), "utf8")).toBe(text)
})
