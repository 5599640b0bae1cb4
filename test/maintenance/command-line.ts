import { type ChildProcess, execFile } from "node:child_process"
import { join } from "node:path"
import { Effect } from "effect"
import { ROOT } from "../compose.ts"
import { WINDOW, World } from "../faults/world.ts"

/** Runs a command of the command line to its end, or until somebody kills it. */
export const tidemark = (
  args: ReadonlyArray<string>,
  started: (child: ChildProcess) => void = () => {},
  settings: Readonly<Record<string, string>> = {},
) =>
  Effect.flatMap(World, ({ natsUrl, clickhouseUrl, dataDir }) =>
    Effect.promise(
      () =>
        new Promise<{ code: number; out: string; err: string }>((resolve) => {
          const env = {
            ...process.env,
            NATS_URL: natsUrl,
            CLICKHOUSE_URL: clickhouseUrl,
            TIDEMARK_DATA_DIR: dataDir,
            DUPLICATE_WINDOW: `${WINDOW}ms`,
            MAX_CLOCK_AHEAD: "1s",
            WRITER_LEASE: "1s",
            ...settings,
          }
          started(
            execFile(
              process.execPath,
              [join(ROOT, "deploy", "cli.ts"), ...args],
              { env },
              (error, out, err) => {
                resolve({ code: Number(error?.code ?? 0), out, err })
              },
            ),
          )
        }),
    ),
  )
