/** Whether a server's version, as `2.10.27` or `2.11.0-preview.2`, is this one or a newer one. */
export const isAtLeast = (version: string, least: ReadonlyArray<number>): boolean => {
  const numbers = version.split(/[.-]/u).map(Number)
  for (const [index, wanted] of least.entries()) {
    const number = numbers[index] ?? 0
    if (number !== wanted) return number > wanted
  }
  return true
}
