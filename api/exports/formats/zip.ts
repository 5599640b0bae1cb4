import { crc32 } from "node:zlib"

// A zip archive is written in one go: each file's sizes and checksum follow its bytes, and the list of files is last.
// APPNOTE.TXT of PKWARE, 4.3; the 64-bit forms where a number does not fit into 32 bits.

export interface ZipEntry {
  readonly name: string
  /** What the file holds; at most 4 GiB. */
  readonly bytes: () => AsyncIterable<Uint8Array>
}

/** Raw deflate of a stream of bytes. */
export type Deflate = (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>

interface Written {
  readonly name: Buffer
  readonly offset: number
  readonly crc: number
  readonly size: number
  readonly compressed: number
}

const MAX = 0xffff_ffff
// Deflated, with a data descriptor, name in UTF-8, of 1980-01-01: the same contents are the same bytes.
const FLAGS = 0x0808
const DEFLATED = 8
const DATE = 0x0021

const fields = (...values: ReadonlyArray<readonly [value: number, size: 2 | 4 | 8]>): Buffer => {
  const buffer = Buffer.alloc(values.reduce((sum, [, size]) => sum + size, 0))
  let at = 0
  for (const [value, size] of values) {
    if (size === 8) buffer.writeBigUInt64LE(BigInt(value), at)
    else buffer.writeUIntLE(value, at, size)
    at += size
  }
  return buffer
}

const localHeader = (name: Buffer): Buffer =>
  Buffer.concat([
    fields([0x04034b50, 4], [20, 2], [FLAGS, 2], [DEFLATED, 2], [0, 2], [DATE, 2]),
    fields([0, 4], [0, 4], [0, 4], [name.length, 2], [0, 2]),
    name,
  ])

const descriptor = ({ crc, compressed, size }: Written): Buffer =>
  fields([0x08074b50, 4], [crc, 4], [compressed, 4], [size, 4])

const centralHeader = ({ name, offset, crc, compressed, size }: Written): Buffer => {
  const isFar = offset >= MAX
  const extra = isFar ? fields([1, 2], [8, 2], [offset, 8]) : Buffer.alloc(0)
  return Buffer.concat([
    fields([0x02014b50, 4], [isFar ? 45 : 20, 2], [isFar ? 45 : 20, 2], [FLAGS, 2], [DEFLATED, 2]),
    fields([0, 2], [DATE, 2], [crc, 4], [compressed, 4], [size, 4], [name.length, 2], [extra.length, 2]),
    fields([0, 2], [0, 2], [0, 2], [0, 4], [Math.min(offset, MAX), 4]),
    name,
    extra,
  ])
}

const end = (files: number, offset: number, size: number): Buffer => {
  const isFar = offset >= MAX
  const far = isFar
    ? [
        fields([0x06064b50, 4], [44, 8], [45, 2], [45, 2], [0, 4], [0, 4], [files, 8], [files, 8]),
        fields([size, 8], [offset, 8]),
        fields([0x07064b50, 4], [0, 4], [offset + size, 8], [1, 4]),
      ]
    : []
  return Buffer.concat([
    ...far,
    fields([0x06054b50, 4], [0, 2], [0, 2], [files, 2], [files, 2], [size, 4]),
    fields([Math.min(offset, MAX), 4], [0, 2]),
  ])
}

/** A zip archive of files that are made while it is written. */
export async function* zipOf(
  entries: AsyncIterable<ZipEntry>,
  deflate: Deflate,
): AsyncGenerator<Uint8Array, void, undefined> {
  const files: Array<Written> = []
  let offset = 0
  for await (const entry of entries) {
    const name = Buffer.from(entry.name)
    const header = localHeader(name)
    yield header
    let crc = 0
    let size = 0
    let compressed = 0
    async function* measured(bytes: AsyncIterable<Uint8Array>) {
      for await (const chunk of bytes) {
        crc = crc32(chunk, crc)
        size += chunk.length
        yield chunk
      }
    }
    for await (const chunk of deflate(measured(entry.bytes()))) {
      compressed += chunk.length
      yield chunk
    }
    if (size > MAX || compressed > MAX) throw new RangeError(`${entry.name} is too large for a zip archive`)
    const written = { name, offset, crc, size, compressed }
    files.push(written)
    const tail = descriptor(written)
    yield tail
    offset += header.length + compressed + tail.length
  }
  const central = Buffer.concat(files.map(centralHeader))
  yield central
  yield end(files.length, offset, central.length)
}
