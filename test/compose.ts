import { readFileSync } from "node:fs"
import { join } from "node:path"
import { parse } from "yaml"

export const ROOT = join(import.meta.dirname, "..")

export interface ComposeService {
  readonly image: string
  readonly volumes?: ReadonlyArray<string>
  readonly environment?: Readonly<Record<string, string | number>>
  readonly command?: ReadonlyArray<string>
}

interface Compose {
  readonly services: Readonly<
    Record<
      "nats-users" | "nats" | "clickhouse" | "migrate" | "writer" | "api" | "exporter" | "grafana",
      ComposeService
    >
  >
}

/** The deployment's description, as it stands in docker-compose.yml. */
export const compose = (): Compose =>
  parse(readFileSync(join(ROOT, "docker-compose.yml"), "utf8"), { merge: true }) as Compose

/** The repository's files that a service mounts, and where. */
export const mountedFiles = (
  service: ComposeService,
): ReadonlyArray<{ readonly source: string; readonly target: string }> =>
  (service.volumes ?? [])
    .filter((volume) => volume.startsWith("./"))
    .map((volume) => {
      const [source = "", target = ""] = volume.split(":")
      return { source: join(ROOT, source), target }
    })
