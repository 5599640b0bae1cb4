import { utcDay } from "#schemas/time.ts"

/** The zone of a tenant whose directory event has not been seen. */
const DEFAULT_ZONE = "UTC"

const QUARTER = 900_000

/** Calendar days of one zone. All offsets are whole quarter hours, so one look-up a quarter is exact. */
class Zone {
  readonly #format: Intl.DateTimeFormat
  readonly #days = new Map<number, number>()

  constructor(name: string) {
    this.#format = new Intl.DateTimeFormat("en-CA", {
      timeZone: name,
      calendar: "iso8601",
      numberingSystem: "latn",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
    })
  }

  /** Days since 1970 of the local calendar day of an instant. */
  day(milliseconds: number): number {
    const quarter = Math.floor(milliseconds / QUARTER)
    const known = this.#days.get(quarter)
    if (known !== undefined) return known
    const day = utcDay(Date.parse(`${this.#format.format(quarter * QUARTER)}T00:00:00Z`))
    // 25 months are 73,000 quarters; a bound all the same.
    if (this.#days.size > 200_000) this.#days.clear()
    this.#days.set(quarter, day)
    return day
  }
}

/** The reporting zone of each tenant, as the directory has it now, and the calendar days of each zone. */
export class Zones {
  readonly #byTenant = new Map<string, { zone: string; version: number; eventId: string }>()
  readonly #zones = new Map<string, Zone>()
  #version = 0

  /** Takes the zone of a directory event, unless a newer one is known: by time, then by event id. */
  set(tenant: string, zone: string, version: number, eventId: string): void {
    const known = this.#byTenant.get(tenant)
    const before = this.of(tenant)
    if (
      known === undefined ||
      version > known.version ||
      (version === known.version && eventId > known.eventId)
    )
      this.#byTenant.set(tenant, { zone, version, eventId })
    if (this.of(tenant) !== before) this.#version++
  }

  /** Goes up whenever a tenant's zone becomes another one. */
  get version(): number {
    return this.#version
  }

  of(tenant: string): string {
    return this.#byTenant.get(tenant)?.zone ?? DEFAULT_ZONE
  }

  /** Days since 1970 of the calendar day of an instant in a zone. */
  localDay(zone: string, milliseconds: number): number {
    if (zone === DEFAULT_ZONE) return utcDay(milliseconds)
    let known = this.#zones.get(zone)
    if (known === undefined) {
      known = new Zone(zone)
      this.#zones.set(zone, known)
    }
    return known.day(milliseconds)
  }
}
