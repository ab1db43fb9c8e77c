/**
 * Reads along with an SFTP session (version 3) to tell which files it touches and how many bytes move: never more than the
 * head of a packet is looked at, and file contents pass untouched.
 *
 *     uint32 length | byte type | uint32 id | fields…
 */
export type SftpEvent =
  | { type: 'begin'; key: number; text: string }
  | { type: 'end'; key: number; ok: boolean; bytes: number }

/** Paths are at most this long on any system; longer ones are cut in what is told, never in what is sent. */
const longestPath = 4096
const headBytes = 2 * (longestPath + 4) + 64
/** A client that never takes its answers makes us remember no more than this. */
const maxPending = 4096

const packet = {
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  setstat: 9,
  fsetstat: 10,
  opendir: 11,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  rename: 18,
  symlink: 20,
  status: 101,
  handle: 102,
  data: 103,
  extended: 200,
} as const
const oneOff: ReadonlyMap<number, string> = new Map([
  [packet.setstat, 'chmod'],
  [packet.opendir, 'ls'],
  [packet.remove, 'rm'],
  [packet.mkdir, 'mkdir'],
  [packet.rmdir, 'rmdir'],
  [packet.rename, 'mv'],
  [packet.symlink, 'ln'],
])
/** Extensions that change files or copy them; the rest ask about the file system. */
const extensions: ReadonlyMap<string, string> = new Map([
  ['posix-rename@openssh.com', 'mv'],
  ['hardlink@openssh.com', 'ln'],
  ['lsetstat@openssh.com', 'chmod'],
])
const pflagWrite = 2

interface OpenFile {
  key: number
  bytes: number
}

type Pending = { kind: 'open'; key: number } | { kind: 'read'; file: OpenFile } | { kind: 'once'; key: number }

export class SftpWatch {
  readonly #toServer = new Packets((type, head) => this.#request(type, head))
  readonly #toClient = new Packets((type, head, length) => this.#answer(type, head, length))
  readonly #pending = new Map<number, Pending>()
  readonly #files = new Map<string, OpenFile>()
  #next = 0
  #events: SftpEvent[] = []

  /** Bytes on their way to the server. What they begin must be on the recording before they go on. */
  fromClient(data: Buffer): readonly SftpEvent[] {
    this.#toServer.push(data)
    return this.#take()
  }

  fromServer(data: Buffer): readonly SftpEvent[] {
    this.#toClient.push(data)
    return this.#take()
  }

  /** The session is over: what is still open ends here. */
  end(): readonly SftpEvent[] {
    for (const file of this.#files.values())
      this.#events.push({ type: 'end', key: file.key, ok: false, bytes: file.bytes })
    for (const pending of this.#pending.values()) {
      if (pending.kind !== 'read') this.#events.push({ type: 'end', key: pending.key, ok: false, bytes: 0 })
    }
    this.#files.clear()
    this.#pending.clear()
    return this.#take()
  }

  #take(): readonly SftpEvent[] {
    const events = this.#events
    if (events.length > 0) this.#events = []
    return events
  }

  #request(type: number, head: Head): void {
    const id = head.u32()
    switch (type) {
      case packet.open: {
        const path = head.text()
        const verb = (head.u32() & pflagWrite) === 0 ? 'get' : 'put'
        this.#expect(id, { kind: 'open', key: this.#begin(`${verb} ${path}`) })
        return
      }
      case packet.read: {
        const file = this.#files.get(head.key())
        if (file !== undefined) this.#expect(id, { kind: 'read', file })
        return
      }
      case packet.write: {
        const file = this.#files.get(head.key())
        head.u32()
        head.u32()
        if (file !== undefined) file.bytes += head.u32()
        return
      }
      case packet.close: {
        const handle = head.key()
        const file = this.#files.get(handle)
        this.#files.delete(handle)
        if (file !== undefined) this.#events.push({ type: 'end', key: file.key, ok: true, bytes: file.bytes })
        return
      }
      case packet.extended: {
        const verb = extensions.get(head.text())
        if (verb !== undefined) this.#once(id, verb, head)
        return
      }
      default: {
        const verb = oneOff.get(type)
        if (verb !== undefined) this.#once(id, verb, head)
      }
    }
  }

  #once(id: number, verb: string, head: Head): void {
    const paths = verb === 'mv' || verb === 'ln' ? [head.text(), head.text()] : [head.text()]
    this.#expect(id, { kind: 'once', key: this.#begin(`${verb} ${paths.join(' ')}`) })
  }

  #answer(type: number, head: Head, length: number): void {
    const id = head.u32()
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    this.#pending.delete(id)
    switch (pending.kind) {
      case 'open':
        if (type === packet.handle) this.#files.set(head.key(), { key: pending.key, bytes: 0 })
        else this.#events.push({ type: 'end', key: pending.key, ok: false, bytes: 0 })
        return
      case 'read':
        // type, id and the length of the data go off the packet's length.
        if (type === packet.data) pending.file.bytes += Math.max(length - 9, 0)
        return
      case 'once':
        this.#events.push({ type: 'end', key: pending.key, ok: type !== packet.status || head.u32() === 0, bytes: 0 })
        return
      default:
        pending satisfies never
    }
  }

  #begin(text: string): number {
    this.#next += 1
    this.#events.push({ type: 'begin', key: this.#next, text })
    return this.#next
  }

  #expect(id: number, pending: Pending): void {
    if (this.#pending.size < maxPending) this.#pending.set(id, pending)
  }
}

/** Cuts a stream into packets, and keeps the head of each. */
class Packets {
  readonly #onPacket: (type: number, head: Head, length: number) => void
  readonly #head = Buffer.allocUnsafe(headBytes)
  #filled = 0
  /** Bytes of the packet still to come, the length field apart; undefined while that is not read. */
  #left: number | undefined
  #length = 0

  constructor(onPacket: (type: number, head: Head, length: number) => void) {
    this.#onPacket = onPacket
  }

  push(data: Buffer): void {
    for (let at = 0; at < data.length; ) {
      if (this.#left === undefined) {
        const size = Math.min(4 - this.#filled, data.length - at)
        data.copy(this.#head, this.#filled, at, at + size)
        this.#filled += size
        at += size
        if (this.#filled < 4) return
        this.#length = this.#head.readUInt32BE(0)
        this.#left = this.#length
        this.#filled = 0
      }
      const size = Math.min(this.#left, data.length - at)
      const kept = Math.min(size, headBytes - this.#filled)
      data.copy(this.#head, this.#filled, at, at + kept)
      this.#filled += kept
      this.#left -= size
      at += size
      if (this.#left > 0) return
      const type = this.#filled > 0 ? (this.#head[0] ?? 0) : 0
      this.#onPacket(type, new Head(this.#head.subarray(0, this.#filled)), this.#length)
      this.#left = undefined
      this.#filled = 0
    }
  }
}

/** The fields at the beginning of a packet. Past its end all is empty: what is told is then less, and never wrong elsewhere. */
class Head {
  readonly #bytes: Buffer
  #at = 1

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  u32(): number {
    const at = this.#at
    this.#at += 4
    return at + 4 <= this.#bytes.length ? this.#bytes.readUInt32BE(at) : 0
  }

  text(): string {
    return this.#string().subarray(0, longestPath).toString()
  }

  /** A handle is any bytes. */
  key(): string {
    return this.#string().subarray(0, 256).toString('latin1')
  }

  #string(): Buffer {
    const length = this.u32()
    const value = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += length
    return value
  }
}
