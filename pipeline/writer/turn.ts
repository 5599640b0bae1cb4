/** What the balance between the writers says of one stream in this process. */
export interface Turn {
  /** It may claim the stream. */
  readonly mayTake: () => boolean
  /** It is to give the stream back to the others. */
  readonly mustGive: () => boolean
}

/** For who shares with nobody. */
export const ALONE: Turn = { mayTake: () => true, mustGive: () => false }
