import { Schema } from "effect"

/** What became of a dead letter. The letter itself stays: it is the proof that its message was not lost. */
export const Fate = Schema.Struct({
  /** `replaying`: it is about to be sent, or was, by one that did not live to say so. */
  fate: Schema.Literals(["replaying", "replayed", "discarded", "erased"]),
  at: Schema.String,
  /** Who did it: the id of a credential, or a login name. */
  by: Schema.String,
  /** How often it was replayed; absent: never. */
  replays: Schema.optionalKey(Schema.Int),
})
export type Fate = typeof Fate.Type

/** Whether somebody still has to look after a letter. One that was not sent for certain needs it, too. */
export const isOpen = (fate: Fate | undefined): boolean => fate === undefined || fate.fate === "replaying"

/** Where a fate is kept: by the original, of which there may be two letters. */
export const fateKey = (original: {
  readonly stream: string
  readonly generation: number
  readonly sequence: number
}): string => `${original.stream}.${original.generation}.${original.sequence}`
