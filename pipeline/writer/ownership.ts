import { actionStreamOf } from "#schemas/partitions.ts"
import type { WriterOptions } from "./context.ts"

const MANY_TENANTS = 50_000

/** Says whose rows a stream's owner writes. Asked for every event. */
export const ownership = ({
  stream,
  partitions,
}: Pick<WriterOptions, "stream" | "partitions">): ((tenant: string) => boolean) => {
  if (partitions === undefined) return () => true
  const known = new Map<string, boolean>()
  return (tenant) => {
    const own = known.get(tenant)
    if (own !== undefined) return own
    if (known.size >= MANY_TENANTS) known.clear()
    const is = actionStreamOf(tenant, partitions) === stream
    known.set(tenant, is)
    return is
  }
}
