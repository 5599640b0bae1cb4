import { describe, expect, it } from "vitest"
import { parseJson } from "./json.ts"

const parse = (text: string | Uint8Array) => parseJson(Buffer.from(text))
const refusal = (text: string | Uint8Array) => {
  const parsed = parse(text)
  return parsed.ok ? undefined : parsed.detail
}

describe("reads", () => {
  it.each([
    ["an event", '{"a":{"b":[1,"x",null,true]},"c":-1.5e3}'],
    ["the same key at two levels", '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}'],
    ["keys that look like text", '{"a\\":":1,":":2,"{":3,"\\\\":4}'],
    ["colons, braces and escapes in strings", '{"a":"\\":{}[]\\\\","b":"a:b:c","c":"\\\\\\""}'],
    ["white space everywhere", ' \n{\t"a" : 1 ,\r\n"b" : [ ] } '],
    ["a key that is __proto__", '{"__proto__":{"x":1},"a":2}'],
    ["keys of Object.prototype", '{"constructor":1,"toString":2,"hasOwnProperty":3}'],
    ["an empty key", '{"":1}'],
    ["keys that are numbers", '{"2":1,"1":2,"10":3}'],
    ["text beyond ASCII", '{"ключ":"ünïcödé ✓ 😀"}'],
    ["a surrogate pair as escapes", '{"a":"\\ud83d\\ude00"}'],
    ["the replacement character itself", '{"a":"\uFFFD"}'],
    ["a string alone", '"a:b"'],
    ["a number alone", "5"],
    ["the largest double", "1.7976931348623157e308"],
    ["64 levels", "[".repeat(64) + "]".repeat(64)],
  ])("%s", (_, text) => {
    expect(parse(text)).toEqual({ ok: true, value: JSON.parse(text) as unknown })
  })

  it("from the middle of a larger buffer", () => {
    const bytes = Buffer.from('xx{"a":1}yy')
    expect(parseJson(new Uint8Array(bytes.buffer, bytes.byteOffset + 2, 7))).toEqual({
      ok: true,
      value: { a: 1 },
    })
  })
})

describe("sees a key that stands twice", () => {
  it.each([
    ["at the top", '{"a":1,"a":1}'],
    ["nested", '{"x":{"y":[{"a":1,"b":2,"a":3}]}}'],
    ["once as it is and once escaped", '{"a":1,"\\u0061":2}'],
    ["escaped in two ways", '{"\\/":1,"/":2}'],
    ["__proto__", '{"__proto__":1,"__proto__":2}'],
    ["in an object that a repeat throws away", '{"a":{"b":1,"c":2},"a":3}'],
    ["with a string of colons beside it", '{"a":"::","b":"\\"::","a":"::"}'],
    ["the empty key", '{"":1,"":1}'],
    ["numbers", '{"1":1,"1":1}'],
  ])("%s", (_, text) => {
    expect(refusal(text)).toBe("a key stands twice in one object")
  })
})

describe("refuses", () => {
  it.each([
    ["nothing", ""],
    ["a null byte", "\u0000"],
    ["an end too soon", '{"a":1'],
    ["two values", "{}{}"],
    ["a comment", "{} // x"],
    ["single quotes", "{'a':1}"],
    ["a comma at the end", '{"a":1,}'],
    ["NaN", '{"a":NaN}'],
    ["a leading zero", '{"a":01}'],
    ["a line break in a string", '{"a":"\n"}'],
    ["a byte order mark", '\uFEFF{"a":1}'],
    ["UTF-16", Buffer.from('{"a":1}', "utf16le")],
  ])("%s", (_, text) => {
    expect(refusal(text)).toBe("the payload is not valid JSON")
  })

  it.each([
    ["a stray byte", [0x22, 0xff, 0x22]],
    ["Latin 1", [0x22, 0xe9, 0x22]],
    ["an overlong form", [0x22, 0xc0, 0xaf, 0x22]],
    ["a surrogate in UTF-8", [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ["half a character at the end", [0x22, 0x61, 0x22, 0xe2, 0x9c]],
    ["beyond U+10FFFF", [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22]],
  ])("bytes that are no UTF-8: %s", (_, bytes) => {
    expect(refusal(Uint8Array.from(bytes))).toBe("the payload is not valid UTF-8")
  })

  it.each(['{"a":1e400}', "[[-1e999]]", '{"a":[{"b":1e309}]}', "1e400"])("%s, beyond a double", (text) => {
    expect(refusal(text)).toBe("a number is too large for a double")
  })

  it.each(['{"a":"\\ud800"}', '{"a":["\\udfff x"]}', '{"\\ud83d":1}', '"\\ude00\\ud83d"'])(
    "%s, half of a surrogate pair",
    (text) => {
      expect(refusal(text)).toBe("a string holds half of a surrogate pair")
    },
  )

  it.each([65, 1000, 16_000])("%i levels", (depth) => {
    expect(refusal("[".repeat(depth) + "]".repeat(depth))).toBe("nested deeper than 64 levels")
    expect(refusal('{"a":'.repeat(depth) + "1" + "}".repeat(depth))).toBe("nested deeper than 64 levels")
  })
})
