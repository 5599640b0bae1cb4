// How statements are written here: fixed text, with everything that a request brings in parameters `{name:Type}`.

/** `DateTime64(3, 'UTC')` of an instant, as a parameter takes it. */
export const dateTime64 = (instant: number): string =>
  new Date(instant).toISOString().replace("T", " ").slice(0, -1)

/** `DateTime('UTC')` of an instant that is a whole second. */
export const dateTime = (instant: number): string => dateTime64(instant).slice(0, 19)
