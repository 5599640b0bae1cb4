import { describe, expect, it } from "vitest"
import { matchesSubject } from "../pipeline/replay/subject-filter.ts"
import {
  actionStreamOf,
  actionStreams,
  idleSubject,
  isActionStream,
  MOST_PARTITIONS,
  mappedSubject,
  originalSubject,
  partitionOf,
  partitionsOf,
  subjectsOf,
  tenantFilter,
} from "./partitions.ts"

it("one partition is the stream that it always was", () => {
  expect(actionStreams(1)).toEqual(["ACTIONS"])
  expect(actionStreamOf("acme", 1)).toBe("ACTIONS")
  expect(actionStreams(3)).toEqual(["ACTIONS_0", "ACTIONS_1", "ACTIONS_2"])
  expect(["ACTIONS", "ACTIONS_0", "ACTIONS_63"].every(isActionStream)).toBe(true)
  expect(["DIRECTORY", "ACTIONS_", "ACTIONS_x", "KV_ACTIONS_1", "ACTIONS_111"].some(isActionStream)).toBe(
    false,
  )
})

it("a tenant is in one of them, by FNV-1a of its name", () => {
  // The hash's own vectors: of "a" and "foobar".
  expect(partitionOf("a", 2 ** 32)).toBe(0xe4_0c_29_2c)
  expect(partitionOf("foobar", 2 ** 32)).toBe(0xbf_9c_f9_68)
  expect(actionStreamOf("acme", 4)).toBe("ACTIONS_3")
})

it("a mapped subject gives the one back that was sent", () => {
  const sent = "actions.v1.acme.cv.downloaded"
  expect(originalSubject(mappedSubject(63, sent))).toBe(sent)
  expect(originalSubject(sent)).toBe(sent)
  expect(originalSubject("actions.v1.partition.0.x")).toBe("actions.v1.partition.0.x")
})

/** Subjects as a broker sends them that maps to any number. */
const sent = [
  "actions.v1.acme.cv.downloaded",
  "actions.v1.odd",
  ...Array.from({ length: MOST_PARTITIONS }, (_, number) => mappedSubject(number, "actions.v1.acme.a.b")),
]

describe.each([1, 2, 3, 63, 64])("of %i partitions", (partitions) => {
  const takenBy = (subject: string) =>
    actionStreams(partitions).filter((stream) =>
      subjectsOf(stream, partitions).some((filter) => matchesSubject(filter, subject)),
    )
  it("one stream takes each, whatever number of partitions the broker maps to", () => {
    for (const subject of sent) expect(takenBy(subject), subject).toHaveLength(1)
  })
  it("one stream says by what it takes how many there are, and no other says anything", () => {
    const said = ["ACTIONS", ...actionStreams(MOST_PARTITIONS)].flatMap(
      (stream) => partitionsOf(stream, subjectsOf(stream, partitions)) ?? [],
    )
    expect(said).toEqual([partitions])
  })
  it("a stream takes what is mapped to its partition, and one of another number nothing", () => {
    for (const [partition, stream] of actionStreams(partitions).entries())
      expect(takenBy(mappedSubject(partition, "actions.v1.acme.a.b"))).toEqual([stream])
    const other = partitions === 1 ? "ACTIONS_0" : "ACTIONS"
    expect(subjectsOf(other, partitions)).toEqual([idleSubject(other)])
  })
})

it("a tenant's part of what a stream takes is a filter that the stream can be read by", () => {
  expect(subjectsOf("ACTIONS_1", 4).map((taken) => tenantFilter(taken, "acme"))).toEqual([
    "partition.1.actions.v1.acme.>",
  ])
  expect(subjectsOf("ACTIONS", 1).map((taken) => tenantFilter(taken, "acme"))).toEqual([
    "actions.v1.acme.>",
    "partition.*.actions.v1.acme.>",
  ])
  expect(tenantFilter(idleSubject("ACTIONS"), "acme")).toBeUndefined()
})
