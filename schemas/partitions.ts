// The streams of actions by a number of partitions: their names, who is in which, and the subjects that each takes.
import { STREAMS, SUBJECTS } from "./names.ts"

/** More streams than a broker on one machine should serve. */
export const MOST_PARTITIONS = 64

/** Begins the subject under which a partition's stream holds a message; the original one follows. */
const MAPPED = "partition"

/** Begins the subject of a stream that is no partition's at the moment. */
const IDLE = "idle.v1"

/** Every subject to which the broker maps. */
const ALL_MAPPED = `${MAPPED}.>`

const OFFSET_BASIS = 0x81_1c_9d_c5
const PRIME = 0x01_00_01_93

const streamOf = (partition: number): string => `${STREAMS.actions}_${partition}`

/** The streams of actions, one a partition; a tenant is always in one of them. */
export const actionStreams = (partitions: number): ReadonlyArray<string> =>
  partitions === 1
    ? [STREAMS.actions]
    : Array.from({ length: partitions }, (_, partition) => streamOf(partition))

/** Whether a stream is one of actions, of whatever number of partitions. */
export const isActionStream = (name: string): boolean =>
  name === STREAMS.actions || new RegExp(`^${STREAMS.actions}_\\d{1,2}$`, "u").test(name)

/** The broker's `{{partition(n,1)}}`: FNV-1a of 32 bits over the token's bytes. */
export const partitionOf = (tenant: string, partitions: number): number => {
  let hash = OFFSET_BASIS
  // A tenant's name is ASCII.
  for (let at = 0; at < tenant.length; at++) hash = Math.imul(hash ^ tenant.charCodeAt(at), PRIME) >>> 0
  return hash % partitions
}

/** The stream of a tenant's actions. */
export const actionStreamOf = (tenant: string, partitions: number): string =>
  partitions === 1 ? STREAMS.actions : streamOf(partitionOf(tenant, partitions))

/** `partition.<partition>.actions.v1.<tenant>.<object>.<verb>` */
export const mappedSubject = (partition: number | "*", subject: string): string =>
  `${MAPPED}.${partition}.${subject}`

/** The subject to which the producer sent a message, whatever the broker made of it. */
export const originalSubject = (subject: string): string =>
  subject.startsWith(`${MAPPED}.`) ? subject.slice(subject.indexOf(".", MAPPED.length + 1) + 1) : subject

/** The part of what a stream takes that is one tenant's, as a filter; undefined where events never come under it. */
export const tenantFilter = (taken: string, tenant: string): string | undefined => {
  const its = `${SUBJECTS.actions}.${tenant}.>`
  if (taken === `${SUBJECTS.actions}.>`) return its
  if (taken === ALL_MAPPED) return mappedSubject("*", its)
  const [, partition] = /^partition\.(\d+)\.>$/u.exec(taken) ?? []
  return partition === undefined ? undefined : mappedSubject(Number(partition), its)
}

/** What a stream takes that is no partition's at the moment: nobody sends it. */
export const idleSubject = (stream: string): string => `${IDLE}.${stream}`

/** Whether a subject is one that a stream of actions may take, at whatever number of partitions. */
export const isOfActions = (subject: string): boolean =>
  [SUBJECTS.actions, MAPPED, IDLE].some((kind) => subject.startsWith(`${kind}.`))

/** What the broker maps subjects of events to. What does not fit keeps its subject. */
export const subjectMapping = (partitions: number): Readonly<Record<string, string>> =>
  partitions === 1
    ? {}
    : {
        [`${SUBJECTS.actions}.*.*.*`]: `${MAPPED}.{{partition(${partitions},1)}}.${SUBJECTS.actions}.{{wildcard(1)}}.{{wildcard(2)}}.{{wildcard(3)}}`,
      }

/** Every number that no partition has. */
const beyond = (partitions: number): ReadonlyArray<number> =>
  Array.from({ length: MOST_PARTITIONS - partitions }, (_, index) => partitions + index)

/**
 * What a stream of actions takes. The streams of the partitions together take everything, whatever number of partitions the
 * broker maps to at the moment, subjects of another form included, so that they are seen and dead-lettered. A stream of
 * another number of partitions takes nothing.
 */
export const subjectsOf = (stream: string, partitions: number): ReadonlyArray<string> => {
  const partition = actionStreams(partitions).indexOf(stream)
  if (partition < 0) return [idleSubject(stream)]
  if (partitions === 1) return [`${SUBJECTS.actions}.>`, ALL_MAPPED]
  if (partition > 0) return [`${MAPPED}.${partition}.>`]
  return [`${SUBJECTS.actions}.>`, ...[0, ...beyond(partitions)].map((which) => `${MAPPED}.${which}.>`)]
}

/**
 * For how many partitions a stream is arranged, by what it takes: that says it for the one which takes what was not mapped, and
 * for no other.
 */
export const partitionsOf = (stream: string, subjects: ReadonlyArray<string>): number | undefined => {
  if (!subjects.includes(`${SUBJECTS.actions}.>`)) return undefined
  if (stream === STREAMS.actions) return 1
  const next = beyond(1).find((partition) => subjects.includes(`${MAPPED}.${partition}.>`))
  return next ?? MOST_PARTITIONS
}
