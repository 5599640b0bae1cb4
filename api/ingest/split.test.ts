import { describe, expect, it } from "vitest"
import { splitArray, splitLines } from "./split.ts"

const texts = (split: ReturnType<typeof splitArray>) =>
  split.ok ? split.events.map((event) => Buffer.from(event).toString()) : split.detail

const array = (text: string, limit = 10) => texts(splitArray(Buffer.from(text), limit))
const lines = (text: string, limit = 10) => texts(splitLines(Buffer.from(text), limit))

describe("an array", () => {
  it("is split into its elements' own bytes, spaces and order of keys included", () => {
    expect(array(' [ {"b": 1,  "a":[1,{"x":2}]} ,{"c":"é ✓"}\n] \n')).toEqual([
      '{"b": 1,  "a":[1,{"x":2}]}',
      '{"c":"é ✓"}',
    ])
  })

  it("is not split within strings", () => {
    const elements = [String.raw`{"a":"],[\"},{\\"}`, String.raw`"\\"`, '"a,b"', String.raw`{"\"":"[[["}`]
    expect(array(`[${elements.join(",")}]`)).toEqual(elements)
  })

  it("may be empty", () => {
    expect(array("[]")).toEqual([])
    expect(array(" [ \n ] ")).toEqual([])
  })

  it("leaves what is no JSON to whoever reads the element", () => {
    expect(array('[{"a":1} {"b":2}, nonsense, 7]')).toEqual(['{"a":1} {"b":2}', "nonsense", "7"])
  })

  it.each([
    ["", "The body is not a JSON array."],
    ["{}", "The body is not a JSON array."],
    ["\uFEFF[]", "The body is not a JSON array."],
    ["[", "The JSON array has no end."],
    ['[{"a":1}', "The JSON array has no end."],
    ['[{"a":"]', "The JSON array has no end."],
    [String.raw`["\"]`, "The JSON array has no end."],
    ["[{]}", "The JSON array has no end."],
    ["[1,]", "The JSON array has an empty place."],
    ["[,1]", "The JSON array has an empty place."],
    ["[1,,2]", "The JSON array has an empty place."],
    ["[1][2]", "Something follows the JSON array."],
    ["[1]]", "Something follows the JSON array."],
  ])("%j is malformed", (text, detail) => {
    expect(array(text)).toBe(detail)
  })

  it("stops soon after the limit", () => {
    const split = splitArray(Buffer.from(`[${Array.from({ length: 100 }, () => "1").join(",")}`), 3)
    expect(split.ok && split.events.length).toBe(4)
  })
})

describe("lines", () => {
  it("are split at newlines alone, blank ones left out", () => {
    expect(lines('{"a":1}\r\n\n  {"b":"x\\ny"}  \n\t\n{"c":"\u2028"}')).toEqual([
      '{"a":1}',
      '{"b":"x\\ny"}',
      '{"c":"\u2028"}',
    ])
  })

  it("may be none", () => {
    expect(lines("")).toEqual([])
    expect(lines("\n\n")).toEqual([])
  })

  it("stop soon after the limit", () => {
    expect(lines("1\n2\n3\n4\n5\n6", 3)).toEqual(["1", "2", "3", "4"])
  })
})
