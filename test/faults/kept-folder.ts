import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Exit } from "effect"

/** A folder that is removed with the scope, unless that ends with a failure: then somebody wants to look into it. */
export const keptFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "tidemark-faults-"))),
  (folder, exit) =>
    Effect.sync(() => {
      if (Exit.isSuccess(exit)) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
      else process.stderr.write(`data and logs are kept in ${folder}\n`)
    }),
)
