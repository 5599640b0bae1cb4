import { Schema } from "effect"

/** An embedded engine could not be started; `hint` is the one thing to do. */
export class EngineError extends Schema.TaggedError<EngineError>()("EngineError", {
  engine: Schema.Literals(["clickhouse", "nats"]),
  reason: Schema.Literals(["not_installed", "port_in_use", "died", "not_ready"]),
  detail: Schema.String,
  hint: Schema.String,
}) {
  override get message(): string {
    return `${this.engine} ${this.reason.replaceAll("_", " ")}: ${this.detail}. ${this.hint}`
  }
}
