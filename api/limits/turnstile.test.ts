import { expect, it } from "vitest"
import { Turnstile } from "./turnstile.ts"

const make = (atOnce: number) => {
  const turnstile = new Turnstile(atOnce)
  const entered: Array<string> = []
  const join = (name: string, who: string) => turnstile.join(name, () => entered.push(who))
  return { turnstile, entered, join }
}

it("lets so many in of each name, the others in order of arrival", () => {
  const { turnstile, entered, join } = make(2)
  const leave = ["a", "b", "c", "d"].map((who) => join("acme", who))
  join("globex", "e")
  expect(entered).toEqual(["a", "b", "e"])
  expect(turnstile.count()).toEqual({ inside: 3, waiting: 2 })
  leave[1]?.()
  leave[0]?.()
  expect(entered).toEqual(["a", "b", "e", "c", "d"])
})

it("forgets one that gave up waiting", () => {
  const { entered, join } = make(1)
  const first = join("acme", "a")
  const second = join("acme", "b")
  join("acme", "c")
  second()
  first()
  expect(entered).toEqual(["a", "c"])
})

it("frees a place once, however often it is given up", () => {
  const { turnstile, entered, join } = make(1)
  const first = join("acme", "a")
  join("acme", "b")
  join("acme", "c")
  first()
  first()
  expect(entered).toEqual(["a", "b"])
  expect(turnstile.count()).toEqual({ inside: 1, waiting: 1 })
})

it("keeps nothing of names that are gone", () => {
  const { turnstile, join } = make(1)
  const leave = [join("acme", "a"), join("acme", "b")]
  for (const go of leave) go()
  expect(turnstile.count()).toEqual({ inside: 0, waiting: 0 })
  expect(turnstile.join("acme", () => undefined)).toBeTypeOf("function")
})

it("is not confused by one that left a line long ago", () => {
  const { turnstile, entered, join } = make(1)
  const first = join("acme", "a")
  first()
  join("acme", "b")
  first()
  join("acme", "c")
  expect(entered).toEqual(["a", "b"])
  expect(turnstile.count()).toEqual({ inside: 1, waiting: 1 })
})
