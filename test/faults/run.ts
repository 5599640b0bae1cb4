// npm run test:faults -- --rounds 300 [--seed N] [--rate 2000] [--count-every 25]
import { parseArgs } from "node:util"
import { Effect } from "effect"
import { kills } from "./kills.ts"

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "100" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    rate: { type: "string", default: "2000" },
    "count-every": { type: "string", default: "25" },
  },
})

const say = (line: string) => process.stdout.write(`${line}\n`)
say(`seed ${values.seed}`)
const began = Date.now()
const result = await Effect.runPromise(
  kills({
    rounds: Number(values.rounds),
    seed: Number(values.seed),
    rate: Number(values.rate),
    countEvery: Number(values["count-every"]),
    say,
  }),
)
for (const difference of result.differences.slice(0, 20)) say(difference)
const { wanted, found } = result.deadLetters
const isRight = result.differences.length === 0 && wanted === found
say(
  `${values.rounds} rounds in ${Math.round((Date.now() - began) / 1000)} s: kills ${JSON.stringify(result.kills)}, ${result.events} events, ${found} dead letters of ${wanted}, ${result.differences.length} differences`,
)
process.exitCode = isRight ? 0 : 1
