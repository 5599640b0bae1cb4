import type { MsgRequest } from "@nats-io/jetstream"
import { type ObjectStore, Objm, setSha256Backend } from "@nats-io/obj"
import type { Nats } from "#nats/connection.ts"
import { EXPORT_FILES } from "#schemas/names.ts"
import { type Files, FilesError } from "./files.ts"

// The default, in JavaScript, takes longer than the store itself.
setSha256Backend("native")

const STREAM = `OBJ_${EXPORT_FILES}`
const CHUNKS = `$O.${EXPORT_FILES}.C.`
/** Behind it the name of a file, in base64 for URLs. */
const NAMES = `$O.${EXPORT_FILES}.M.`
/** Half of what a server takes in one message, unless it was told otherwise. */
const CHUNK = 512 * 1024
/** A writer that has added nothing for so long is dead. Milliseconds. */
const ABANDONED = 3_600_000

const failed =
  (operation: string) =>
  (cause: unknown): never => {
    if (cause instanceof FilesError) throw cause
    throw new FilesError({ reason: "unavailable", operation, detail: (cause as Error).message })
  }

const missing = (operation: string, detail: string): FilesError =>
  new FilesError({ reason: "missing", operation, detail })

/** An interrupted writer must not find its file whole: the stream of a cancelled source ends, it does not fail. */
async function* until(signal: AbortSignal, bytes: AsyncIterable<Uint8Array>) {
  for await (const chunk of bytes) {
    signal.throwIfAborted()
    yield chunk
  }
  signal.throwIfAborted()
}

/** Files in NATS's own object store. */
export const natsFiles = ({ connection, jetstream, manager }: Nats["Service"]): Files => {
  let opened: Promise<ObjectStore> | undefined
  const store = (): Promise<ObjectStore> => {
    opened ??= new Objm(jetstream).open(EXPORT_FILES).catch((error: unknown) => {
      opened = undefined
      throw error
    })
    return opened
  }

  const put: Files["put"] = async (name, bytes, signal) => {
    const max_chunk_size = Math.min(CHUNK, connection.info?.max_payload ?? CHUNK)
    // Each chunk is acknowledged before the next one is asked for.
    const source = ReadableStream.from<Uint8Array>(until(signal, bytes))
    await (await store()).put({ name, options: { max_chunk_size } }, source)
  }

  /**
   * Chunk by chunk, each one when it is wanted: the object store's own `get` is pushed the whole file, however slowly
   * it is taken.
   */
  async function* chunksOf(name: string): AsyncGenerator<Uint8Array, void, undefined> {
    const info = await (await store()).info(name)
    if (info === null || info.deleted) throw missing("read", "there is no such file")
    const subject = `${CHUNKS}${info.nuid}`
    // Without one of them those after it would stand in its place, and a range would be of other bytes.
    const { state } = await manager.streams.info(STREAM, { subjects_filter: subject })
    if ((state.subjects?.[subject] ?? 0) !== info.chunks) throw missing("read", "a part of the file is gone")
    let seq = 1
    for (let chunk = 0; chunk < info.chunks; chunk++) {
      const next = { seq, next_by_subj: subject }
      const message = await manager.direct.getMessage(STREAM, next)
      if (message === null) throw missing("read", "a part of the file is gone")
      seq = message.seq + 1
      yield message.data
    }
  }

  async function* read(name: string, start: number, length: number) {
    let at = 0
    const end = start + length
    for await (const chunk of chunksOf(name)) {
      const part = chunk.subarray(Math.max(0, start - at), Math.max(0, end - at))
      at += chunk.length
      if (part.length > 0) yield part
      if (at >= end) return
    }
    if (at < end) throw missing("read", "the file is shorter than it was")
  }

  const remove = async (name: string): Promise<void> => {
    const files = await store()
    const info = await files.info(name)
    if (info === null) return
    if (!info.deleted) await files.delete(name)
    // The store keeps a marker for ever; nobody watches this bucket.
    await manager.streams.deleteMessage(
      STREAM,
      info.deleted ? info.revision : ((await files.info(name))?.revision ?? 0),
    )
  }

  /** What subjects of a kind the stream has. */
  const subjectsOf = async (filter: string): Promise<ReadonlyArray<string>> => {
    await store()
    const { state } = await manager.streams.info(STREAM, { subjects_filter: filter })
    return Object.keys(state.subjects ?? {})
  }

  /**
   * Names of files, and of such as were half removed. The object store's own `list` counts what is there before it reads
   * it, and waits for ever when a file is removed in between.
   */
  const names = async (): Promise<ReadonlyArray<string>> =>
    (await subjectsOf(`${NAMES}*`)).map((subject) =>
      Buffer.from(subject.slice(NAMES.length), "base64url").toString(),
    )

  async function* list() {
    yield* await names()
  }

  const sweep = async (): Promise<void> => {
    // Before the names: a file whose writer ends meanwhile has its name then.
    const subjects = await subjectsOf(`${CHUNKS}*`)
    const files = await store()
    const whole = new Set<string>()
    for (const name of await names()) {
      const info = await files.info(name)
      if (info !== null && !info.deleted) whole.add(`${CHUNKS}${info.nuid}`)
    }
    for (const subject of subjects) {
      if (whole.has(subject)) continue
      const last = await manager.streams.getMessage(STREAM, { last_by_subj: subject } as MsgRequest)
      if (last !== null && Date.now() - last.time.getTime() > ABANDONED)
        await manager.streams.purge(STREAM, { filter: subject })
    }
  }

  return {
    put: (name, bytes, signal) => put(name, bytes, signal).catch(failed("write")),
    read: (name, start, length) => guarded(read(name, start, length)),
    remove: (name) => remove(name).catch(failed("remove")),
    list: () => guarded(list()),
    sweep: () => sweep().catch(failed("sweep")),
  }
}

async function* guarded<A>(items: AsyncIterable<A>): AsyncGenerator<A, void, undefined> {
  try {
    yield* items
  } catch (error) {
    failed("read")(error)
  }
}
