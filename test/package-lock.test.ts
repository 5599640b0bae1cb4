import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"

interface Entry {
  readonly version?: string
  readonly resolved?: string
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const { packages } = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "package-lock.json"), "utf8"),
) as { readonly packages: Readonly<Record<string, Entry>> }

/** The entry that a package finds under a name: its own, or one of a folder above. */
const found = (from: string, name: string): Entry | undefined => {
  const above = from.lastIndexOf("/node_modules/")
  return (
    packages[`${from === "" ? "" : `${from}/`}node_modules/${name}`] ??
    (from === "" ? undefined : found(above === -1 ? "" : from.slice(0, above), name))
  )
}

it("has every platform's packages, or `npm ci` refuses it on all of them", () => {
  // A registry that lacks a platform lets `npm install` leave its packages out. They are added by version, os and cpu.
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => found(path, name) === undefined),
  )
  expect(missing).toEqual([])
})

it("names no download address", () => {
  expect(Object.values(packages).filter(({ resolved }) => resolved !== undefined)).toEqual([])
})
