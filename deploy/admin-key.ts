import { randomBytes } from "node:crypto"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Settings } from "./settings.ts"

/** The operator's key: the setting, or one that is made once and kept in the data directory. */
export const adminKeyOf = ({
  adminKey,
  dataDir,
}: Settings): { readonly key: string; readonly file?: string } => {
  if (adminKey !== undefined) return { key: adminKey }
  const file = join(dataDir, "admin-key")
  mkdirSync(dataDir, { recursive: true })
  try {
    // `wx`: of two that start at once, one makes it.
    writeFileSync(file, `tmo_${randomBytes(32).toString("base64url")}\n`, { mode: 0o600, flag: "wx" })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
  }
  return { key: readFileSync(file, "utf8").trim(), file }
}
