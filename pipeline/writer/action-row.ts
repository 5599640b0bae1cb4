import type { ActionEvent } from "#schemas/action-event.ts"
import { decodeAction, isReplay, type Limits } from "#schemas/decode.ts"
import { SUBJECTS } from "#schemas/names.ts"
import { TENANT } from "#schemas/patterns.ts"
import type { Refusal } from "#schemas/refusal.ts"
import { placesOf } from "#schemas/sent-on.ts"
import type { StreamMessage } from "#nats/reader.ts"
import type { Tombstones } from "../erase/tombstones.ts"
import type { Zones } from "./zones.ts"

/** A valid event on its way into the raw table. */
export interface ActionRow {
  readonly seq: number
  /** Milliseconds since 1970, as `time`. */
  readonly receivedAt: number
  readonly time: number
  readonly tenant: string
  readonly event: ActionEvent
  readonly zone: string
  /** Days since 1970. */
  readonly localDay: number
  /** The message came with the id of a replayed dead letter, so the broker could not know it. */
  readonly replayed: boolean
}

/** A message of somebody who was erased: it makes no row, and no dead letter, which would keep it. */
export interface Erased {
  readonly ok: false
  readonly reason: "erased"
}

export type Judged =
  | { readonly ok: true; readonly row: ActionRow }
  | ({ readonly ok: false } & Refusal)
  | Erased

interface Route {
  readonly tenant: string | undefined
  readonly type: string | undefined
}

/** Tenant and type of a subject of the form `<kind>.v1.<tenant>.<object>.<verb>`. */
export const routeOf = (kind: string, subject: string): Route => {
  const prefix = `${kind}.`
  const tokens = subject.startsWith(prefix) ? subject.slice(prefix.length).split(".") : []
  const tenant = tokens[0] !== undefined && TENANT.test(tokens[0]) ? tokens[0] : undefined
  return { tenant, type: tokens.length === 3 ? `${tokens[1]}.${tokens[2]}` : undefined }
}

/** What a stream keeps by default: an event that is sent on lay in another stream for no longer. */
const LONGEST_WAY = 30 * 86_400_000

/**
 * When an event was received for the first time. What was counted once is sent on when a store is put back from a copy, and must
 * not be too old for that. Nothing else goes by it: a row has the receive time of the message that it names, and whether it
 * may be a repeat is told by that one, too.
 *
 * A producer can write the header as well, since the broker maps its subjects to the same ones. It gains that an event of its own
 * may be a month older than others', which raw keeps for a month more all the same.
 */
const firstReceivedAt = ({ sentOn, receivedAt }: StreamMessage): number => {
  const first = sentOn === undefined ? undefined : placesOf(sentOn)[0]?.receivedAt
  return first === undefined ? receivedAt : Math.min(receivedAt, Math.max(first, receivedAt - LONGEST_WAY))
}

const MANY_SUBJECTS = 50_000

/** Judges the messages of `ACTIONS`: each becomes a row or a refusal, or is of somebody who was erased. */
export class Judge {
  readonly #limits: Limits
  readonly #zones: Zones
  readonly #tombstones: Tombstones
  readonly #routes = new Map<string, Route>()

  constructor(limits: Limits, zones: Zones, tombstones: Tombstones) {
    this.#limits = limits
    this.#zones = zones
    this.#tombstones = tombstones
  }

  judge(message: StreamMessage): Judged {
    const route = this.#route(message.subject)
    const decoded = decodeAction(
      {
        payload: message.payload,
        tenant: route.tenant,
        type: route.type,
        messageId: message.messageId,
        checkRoute: true,
        receivedAt: message.receivedAt,
        firstReceivedAt: firstReceivedAt(message),
      },
      this.#limits,
    )
    if (!decoded.ok) return decoded
    const { event, time } = decoded
    const tenant = event.tenantid
    if (this.#tombstones.covers(tenant, event.data)) return { ok: false, reason: "erased" }
    const zone = this.#zones.of(tenant)
    return {
      ok: true,
      row: {
        seq: message.seq,
        receivedAt: message.receivedAt,
        time,
        tenant,
        event,
        zone,
        localDay: this.#zones.localDay(zone, time),
        replayed: isReplay(message.messageId ?? ""),
      },
    }
  }

  #route(subject: string): Route {
    const known = this.#routes.get(subject)
    if (known !== undefined) return known
    if (this.#routes.size >= MANY_SUBJECTS) this.#routes.clear()
    const route = routeOf(SUBJECTS.actions, subject)
    this.#routes.set(subject, route)
    return route
  }
}
