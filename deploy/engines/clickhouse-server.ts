// A ClickHouse server inside this process: the library of the npm package chdb is the full engine, and its entry
// point `clickhouse local` can listen. The call blocks the main thread for as long as the server lives.
// Arguments: data directory, configuration file, HTTP port, TCP port.
import { libchdbPath } from "chdb/libchdb"
import { DataType, load, open } from "ffi-rs"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Worker } from "node:worker_threads"

const [path = "", config, httpPort, tcpPort] = process.argv.slice(2)

// Takes the function file(path) away, which in `clickhouse local`, as this server is one, reads every file of the
// machine, this store's own included, for whoever may SELECT. A function that lies in the store under the same name
// comes first. (The table function file() needs a right that nobody has.)
mkdirSync(join(path, "user_defined"), { recursive: true })
writeFileSync(
  join(path, "user_defined", "function_file.sql"),
  "CREATE FUNCTION file AS path -> throwIf(true, 'file() is switched off')\n",
)

// The server ends with its parent, however that one died: standard input then ends too.
const ready = new SharedArrayBuffer(4)
new Worker(
  `const { workerData } = require("node:worker_threads")
   const { Socket } = require("node:net")
   const stop = () => process.kill(process.pid, "SIGTERM")
   // Not a blocking read, which process.exit would wait for.
   new Socket({ fd: 0 }).resume().once("end", stop).once("error", stop)
   Atomics.store(new Int32Array(workerData), 0, 1)
   Atomics.notify(new Int32Array(workerData), 0)`,
  { eval: true, workerData: ready },
)
// Once the main thread is inside the engine, no worker of this process could start any more.
await Atomics.waitAsync(new Int32Array(ready), 0, 0).value

open({ library: "chdb", path: libchdbPath() })
const argv = [
  "clickhouse",
  `--path=${path}`,
  `--config-file=${config}`,
  `--http_port=${httpPort}`,
  `--tcp_port=${tcpPort}`,
  "--listen_host=127.0.0.1",
  // The last statement never ends, so the server stays up.
  "--query=SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; SELECT sleepEachRow(3) FROM system.numbers SETTINGS max_block_size = 1 FORMAT Null",
]
const status = load({
  library: "chdb",
  funcName: "chdb_query_cmdline",
  retType: DataType.I32,
  paramsType: [DataType.I32, DataType.StringArray],
  paramsValue: [argv.length, argv],
})
process.exit(status === 0 ? 0 : 1)
