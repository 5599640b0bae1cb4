// An event that lay in a stream that is not its tenant's is sent on to the right one, and says where it stood before.

/** Names the places where an event stood, first to last, one a stream; its dead letter keeps it. */
export const SENT_ON_HEADER = "Tidemark-From"

export interface Stood {
  readonly stream: string
  /** The life of the stream that the sequence belongs to. */
  readonly generation: number
  readonly sequence: number
  /** When that stream received it, milliseconds since 1970. */
  readonly receivedAt: number
}

/** Each change of the number of partitions may add one; of more the oldest are forgotten. */
const MOST = 16
const PLACE = "[A-Z0-9_]{1,32}:\\d{1,10}:\\d{1,15}:\\d{1,15}"
const PLACES = new RegExp(`^${PLACE}(?: ${PLACE}){0,${MOST - 1}}$`, "u")

/** The places that a header names; none when there is no header, or when it is of another form. */
export const placesOf = (header: string | undefined): ReadonlyArray<Stood> =>
  header === undefined || !PLACES.test(header)
    ? []
    : header.split(" ").map((place) => {
        const [stream = "", generation, sequence, receivedAt] = place.split(":")
        return {
          stream,
          generation: Number(generation),
          sequence: Number(sequence),
          receivedAt: Number(receivedAt),
        }
      })

export const placesText = (places: ReadonlyArray<Stood>): string =>
  places
    .slice(-MOST)
    .map(({ stream, generation, sequence, receivedAt }) =>
      [stream, generation, sequence, receivedAt].join(":"),
    )
    .join(" ")
