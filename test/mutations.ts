/** Values that hardly any field takes. */
export const STRANGE = [
  null,
  true,
  0,
  1,
  1.5,
  -1,
  100_000,
  100_001,
  "",
  "x",
  "a@b.c",
  "member",
  "😀".repeat(200),
  "x".repeat(301),
  [],
  {},
  [null],
]

/** The value with each of its fields in turn left out, replaced by something strange, or joined by another one. */
export const mutations = (value: unknown, salt: number): ReadonlyArray<unknown> => {
  if (typeof value !== "object" || value === null) return []
  const strange = STRANGE[salt % STRANGE.length]
  return [
    { ...value, unheard_of: strange },
    ...Object.entries(value).flatMap(([key, inner]: readonly [string, unknown], index) => {
      const { [key]: _, ...rest } = value as Record<string, unknown>
      return [
        rest,
        { ...value, [key]: STRANGE[(salt + index) % STRANGE.length] },
        ...mutations(inner, salt + index + 1).map((changed) => ({ ...value, [key]: changed })),
      ]
    }),
  ]
}
