import { CATALOGUE, METRICS } from "#schemas/catalogue.ts"

/** How many characters must be added, left out or replaced to make one text of the other. */
const distance = (one: string, other: string): number => {
  let above = Array.from({ length: other.length + 1 }, (_, column) => column)
  for (const [row, character] of [...one].entries()) {
    const current = [row + 1]
    for (const [column, wanted] of [...other].entries())
      current.push(
        Math.min(
          (above[column] ?? 0) + (character === wanted ? 0 : 1),
          (above[column + 1] ?? 0) + 1,
          (current[column] ?? 0) + 1,
        ),
      )
    above = current
  }
  return above.at(-1) ?? 0
}

/** The name that was probably meant, when one is near. */
const nearest = (given: string, names: ReadonlyArray<string>): string | undefined => {
  const near = names
    .map((name) => ({ name, far: distance(given.toLowerCase(), name.toLowerCase()) }))
    .toSorted((one, other) => one.far - other.far)[0]
  return near !== undefined && near.far <= Math.min(3, (given.length * 2) / 3) ? near.name : undefined
}

/** Says in short what is wrong with a name that a closed list does not have; the list itself is longer. */
export const noSuchName = (given: string, names: ReadonlyArray<string>): string => {
  const shown = given.slice(0, 60)
  const said = `There is no ${JSON.stringify(shown)}`
  if (given.includes(",")) return `${said}; of several, each is given by itself`
  const meant = nearest(shown, names)
  return meant === undefined ? said : `${said}, did you mean ${meant}?`
}

const CATALOGUED: ReadonlySet<string> = new Set([...METRICS, ...CATALOGUE.actions.map(({ type }) => type)])

/** Where to read what a closed list holds. */
export const whereListed = (lists: ReadonlyArray<ReadonlyArray<string>>): string =>
  lists.some((names) => names.some((name) => CATALOGUED.has(name)))
    ? "`errors` lists what can be said, as does /openapi.json; GET /v1/catalog says what it means."
    : "`errors` lists what can be said, as does /openapi.json."
