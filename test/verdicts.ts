import { text } from "node:stream/consumers"
import { Exit, Schema } from "effect"
import { ActionEvent } from "#schemas/action-event.ts"
import { DirectoryEvent } from "#schemas/directory-event.ts"

// A process of its own judges the values on standard input, with Effect's schema compiler (argument `compiled`) or
// without, since the compiler is switched on for a whole process.

const judge = (schema: Schema.Decoder<unknown>) => {
  const is = Schema.is(schema)
  const decode = Schema.decodeUnknownExit(schema)
  const decodeExactly = Schema.decodeUnknownExit(schema, { onExcessProperty: "error" })
  const said = (exit: Exit.Exit<unknown, unknown>) =>
    Exit.isSuccess(exit) ? { value: exit.value } : { error: String(exit.cause) }
  return (value: unknown) => ({
    is: is(value),
    decoded: said(decode(value)),
    exactly: said(decodeExactly(value)),
  })
}

export const SCHEMAS = { action: ActionEvent, directory: DirectoryEvent } as const

if (import.meta.main) {
  let built = 0
  globalThis.Function = new Proxy(globalThis.Function, {
    apply: (target, self, parameters) => {
      built++
      return Reflect.apply(target, self, parameters) as unknown
    },
  })
  if (process.argv[2] === "compiled") await import("#schemas/compile.ts")
  const values = JSON.parse(await text(process.stdin)) as ReadonlyArray<unknown>
  const [action, directory] = [judge(SCHEMAS.action), judge(SCHEMAS.directory)]
  const verdicts = values.map((value) => ({ action: action(value), directory: directory(value) }))
  process.stdout.write(JSON.stringify({ built, verdicts }))
}
