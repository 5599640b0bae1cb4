import { mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { STREAMS } from "#schemas/names.ts"
import { actionStreams, MOST_PARTITIONS, subjectMapping } from "#schemas/partitions.ts"
import { replaceFile } from "./replace-file.ts"

const template = (): string => readFileSync(join(import.meta.dirname, "services.conf"), "utf8")

/** Every stream of actions that there may be: those of another number of partitions are read for as long as they are kept. */
const STREAMS_OF_ACTIONS = [STREAMS.actions, ...actionStreams(MOST_PARTITIONS)]

/** A right to the stream of actions, such as `"$JS.API.STREAM.MSG.GET.ACTIONS"`. */
const RIGHT = new RegExp(`^\\s*"[^"]*\\.${STREAMS.actions}(?:\\.[^"]*)?"$`, "u")

const withStreams = (line: string): ReadonlyArray<string> =>
  RIGHT.test(line)
    ? STREAMS_OF_ACTIONS.map((stream) => line.replace(`.${STREAMS.actions}`, `.${stream}`))
    : [line]

const mappings = (partitions: number): string => {
  const lines = Object.entries(subjectMapping(partitions)).map(([from, to]) => `  "${from}": "${to}"`)
  return lines.length === 0 ? "" : `mappings: {\n${lines.join("\n")}\n}\n`
}

/** What nats.conf includes of the services' users and rights, and the mapping to so many partitions. */
const renderServices = (partitions: number): string =>
  [
    "# Made from deploy/nats/services.conf; edits are lost.",
    mappings(partitions) + template().split("\n").flatMap(withStreams).join("\n"),
  ].join("\n")

/** Writes it beside the tenants' users. A server that runs must read its configuration again. */
export const writeServices = (folder: string, partitions: number): void => {
  mkdirSync(folder, { recursive: true })
  replaceFile(join(folder, "services.conf"), renderServices(partitions))
}
