// A Parquet file says at its end what is in it: FileMetaData of parquet.thrift in Thrift's compact protocol, its length in
// four bytes, `PAR1`.

/**
 * The footer has about 100 bytes a column and row group, so this is enough for 500 million rows of the log, and all that
 * is held of a file.
 */
const TAIL = 8 * 1024 * 1024
const MAGIC = "PAR1"
const END = 8

const NUM_ROWS = 3

const broken = (what: string): Error => new Error(`not a whole Parquet file: ${what}`)

/** Thrift's compact protocol, as far as fields are to be passed over. */
class Fields {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#at++)
  }

  varint(): number {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = this.byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }

  /** What follows a field of the type. */
  skip(type: number): void {
    switch (type) {
      case 1: // true, in the type itself
      case 2: // false
        return
      case 3:
        this.#at += 1
        return
      case 4:
      case 5:
      case 6:
        this.varint()
        return
      case 7:
        this.#at += 8
        return
      case 8: {
        const length = this.varint()
        this.#at += length
        return
      }
      case 9:
      case 10:
        this.#skipList()
        return
      case 12:
        for (let field = this.byte(); field !== 0; field = this.byte()) {
          if (field < 16) this.varint()
          this.skip(field & 15)
        }
        return
      default:
        throw broken(`a field of type ${type}`)
    }
  }

  #skipList(): void {
    const header = this.byte()
    const type = header & 15
    const count = header >> 4 === 15 ? this.varint() : header >> 4
    // In a list a truth value is a byte.
    for (let element = 0; element < count; element++) this.skip(type <= 2 ? 3 : type)
  }
}

/** The fields before it are the version and the schema; those after it grow with the file and are not read. */
const rowsOf = (metadata: Buffer): number => {
  const fields = new Fields(metadata)
  for (let id = 0; ;) {
    const header = fields.byte()
    if (header === 0 || header < 16) throw broken("no number of rows")
    id += header >> 4
    // Zigzag: an even number is half of it.
    if (id === NUM_ROWS) return fields.varint() / 2
    fields.skip(header & 15)
  }
}

/** Takes a file's chunks as they go by, and says at its end how many rows are in it. */
export class ParquetFooter {
  readonly #tail: number
  readonly #chunks: Array<Uint8Array> = []
  #held = 0

  constructor(tail = TAIL) {
    this.#tail = tail
  }

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#held += chunk.length
    for (;;) {
      const { length = 0 } = this.#chunks[0] ?? {}
      if (length === 0 || this.#held - length < this.#tail) return
      this.#chunks.shift()
      this.#held -= length
    }
  }

  rows(): number {
    const bytes = Buffer.concat(this.#chunks)
    if (bytes.length < END || bytes.toString("latin1", bytes.length - MAGIC.length) !== MAGIC)
      throw broken("no end")
    const end = bytes.length - END
    const start = end - bytes.readUInt32LE(end)
    if (start < 0) throw broken("its footer is longer than what is held of it")
    return rowsOf(bytes.subarray(start, end))
  }
}
