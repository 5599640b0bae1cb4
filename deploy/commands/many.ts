/** A number of things in words, such as `1,204 events`. */
export const many = (count: number, one: string): string =>
  `${count.toLocaleString("en")} ${one}${count === 1 ? "" : "s"}`
