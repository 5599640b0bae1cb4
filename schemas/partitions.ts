import { STREAMS, SUBJECTS } from "./names.ts"

/** More streams than a broker on one machine should serve. */
export const MOST_PARTITIONS = 64

const streamOf = (partition: number): string => `${STREAMS.actions}_${partition}`

/** The streams of actions, one a partition; a tenant is always in one of them. */
export const actionStreams = (partitions: number): ReadonlyArray<string> =>
  partitions === 1
    ? [STREAMS.actions]
    : Array.from({ length: partitions }, (_, partition) => streamOf(partition))

/** The broker's `{{partition(n,1)}}`: FNV-1a of 32 bits over the token's bytes. */
export const partitionOf = (tenant: string, partitions: number): number => {
  let hash = 0x81_1c_9d_c5
  // A tenant's name is ASCII.
  for (let at = 0; at < tenant.length; at++)
    hash = Math.imul(hash ^ tenant.charCodeAt(at), 0x01_00_01_93) >>> 0
  return hash % partitions
}

/** The stream of a tenant's actions. */
export const actionStreamOf = (tenant: string, partitions: number): string =>
  partitions === 1 ? STREAMS.actions : streamOf(partitionOf(tenant, partitions))

/** Begins the subject under which a partition's stream holds a message; the original one follows. */
const MAPPED = "partition"

/** `partition.<partition>.actions.v1.<tenant>.<object>.<verb>` */
export const mappedSubject = (partition: number, subject: string): string =>
  `${MAPPED}.${partition}.${subject}`

/** The subject to which the producer sent a message, whatever the broker made of it. */
export const originalSubject = (subject: string): string =>
  subject.startsWith(`${MAPPED}.`) ? subject.slice(subject.indexOf(".", MAPPED.length + 1) + 1) : subject

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
 * What the stream of a partition takes. Together the streams take everything, whatever number of partitions the broker maps
 * to at the moment; a subject of another form is taken, too, so that it is seen and dead-lettered.
 */
export const partitionSubjects = (partition: number, partitions: number): ReadonlyArray<string> => {
  if (partitions === 1) return [`${SUBJECTS.actions}.>`, `${MAPPED}.>`]
  if (partition > 0) return [`${MAPPED}.${partition}.>`]
  return [`${SUBJECTS.actions}.>`, ...[0, ...beyond(partitions)].map((which) => `${MAPPED}.${which}.>`)]
}
