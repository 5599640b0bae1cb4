import type { UsersParameters } from "#schemas/report-user-insights.ts"
import { COUNT, INSTANT, type Order, orderBy, TEXT } from "./order.ts"

const SORTS = {
  user_id: { expression: "user_id", ...TEXT },
  name: { expression: "lowerUTF8(name)", ...TEXT },
  email: { expression: "lowerUTF8(email)", ...TEXT },
  active_days: { expression: "active_days", ...COUNT },
  last_tracked_activity_at: { expression: "last_at", ...INSTANT },
} as const

export const userOrder = ({ sort = "user_id" }: UsersParameters): Order => orderBy(SORTS, "user_id", sort)
