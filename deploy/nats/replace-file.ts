import { renameSync, writeFileSync } from "node:fs"

/** Whole or not at all, as the server may read at any moment. */
export const replaceFile = (file: string, text: string): void => {
  writeFileSync(`${file}.new`, text)
  renameSync(`${file}.new`, file)
}
