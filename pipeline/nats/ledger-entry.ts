import type { KvEntry } from "@nats-io/kv"
import { Option, Schema } from "effect"
import { LedgerRecord } from "#schemas/ledger.ts"

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(LedgerRecord))

/** A stream's record as the ledger's bucket holds it; undefined where there is none, or none that can be read. */
export const ledgerRecordOf = (entry: KvEntry | null | undefined): LedgerRecord | undefined =>
  entry?.operation === "PUT" ? Option.getOrUndefined(decode(entry.string())) : undefined
