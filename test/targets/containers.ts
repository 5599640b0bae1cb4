import { Effect } from "effect"
import { GenericContainer, type StartedTestContainer, Wait } from "testcontainers"
import { ClickHouse } from "#clickhouse"
import { createStoreUser } from "../../deploy/bi/store-users.ts"
import { BI_USERS } from "../bi-users.ts"
import { compose, type ComposeService, mountedFiles } from "../compose.ts"

const started = (container: GenericContainer) =>
  Effect.acquireRelease(
    Effect.tryPromise(() => container.withStartupTimeout(120_000).start()),
    (running) => Effect.promise(() => running.stop()),
  )

const containerOf = (service: ComposeService): GenericContainer =>
  new GenericContainer(service.image).withCopyFilesToContainer([...mountedFiles(service)])

const OPEN = "/etc/tidemark/open.conf"

const addressOf = (running: StartedTestContainer, port: number): string =>
  `${running.getHost()}:${running.getMappedPort(port)}`

/** Both engines in containers, from the images and with the files of docker-compose.yml, until the scope ends. */
export const containers = Effect.gen(function* () {
  const { nats, clickhouse } = compose().services
  const passwords = Object.keys(clickhouse.environment ?? {}).filter((name) => name.endsWith("_PASSWORD"))
  const [broker, store] = yield* Effect.all(
    [
      started(
        containerOf(nats)
          // As deployed, but for clients without a user, as most tests are.
          .withCopyContentToContainer([
            { content: "include ./durable.conf\nno_auth_user: tidemark_operator\n", target: OPEN },
            { content: "", target: "/etc/tidemark/users/tenants.conf" },
          ])
          .withEnvironment(Object.fromEntries(Object.keys(nats.environment ?? {}).map((name) => [name, "x"])))
          .withCommand(
            (nats.command ?? []).map((flag) => (flag.startsWith("--config=") ? `--config=${OPEN}` : flag)),
          )
          .withExposedPorts(4222, 8222)
          .withWaitStrategy(Wait.forHttp("/healthz?js-enabled-only=true", 8222)),
      ),
      started(
        containerOf(clickhouse)
          .withEnvironment(Object.fromEntries(passwords.map((name) => [name, ""])))
          .withExposedPorts(8123)
          .withWaitStrategy(Wait.forHttp("/ping", 8123)),
      ),
    ],
    { concurrency: "unbounded" },
  )
  const clickhouseUrl = `http://${addressOf(store, 8123)}`
  yield* Effect.forEach(BI_USERS, ({ user, password_sha256, names }) =>
    createStoreUser(user, password_sha256, names),
  ).pipe(Effect.provide(ClickHouse.layer({ url: clickhouseUrl, user: "tidemark_access", password: "" })))
  return { natsUrl: `nats://${addressOf(broker, 4222)}`, clickhouseUrl }
})
