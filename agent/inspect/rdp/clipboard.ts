import type { RecordingEvent } from '../../../shared/recording.ts'
import { type ChannelFilter, type Chunk, type From, Messages, type Send } from './channel.ts'
import { formatOf } from './classify.ts'
import { RdpError, u16, u32 } from './frames.ts'

/**
 * The clipboard (MS-RDPECLIP), `type:u16 flags:u16 length:u32 …`. One side offers formats, the other asks for one and gets it:
 * an offer of the target is about data that would go `out`, one of the client about data that would go `in`.
 */
export type Direction = 'in' | 'out'
type Transfer = Extract<RecordingEvent, { type: 'clipboard' }>

export interface ClipboardPort {
  allowed(direction: Direction): boolean
  /** Files through the clipboard are files through a drive. */
  filesAllowed(): boolean
  /** Text of transfers is kept, up to `textLimit`. */
  keepsText(): boolean
  /** Something is about to cross; throws when it can't be recorded. */
  crossed(transfer: Omit<Transfer, 'type' | 'at'>): void
  refused(direction: Direction): void
}

const type = {
  monitorReady: 1,
  formatList: 2,
  formatListResponse: 3,
  dataRequest: 4,
  dataResponse: 5,
  temporaryDirectory: 6,
  capabilities: 7,
  fileRequest: 8,
  fileResponse: 9,
  lock: 10,
  unlock: 11,
} as const
const ok = 1
const fail = 2
/** Flags of the general capability that stand for files, and for locking them. */
const fileFlags = 0x4 | 0x8 | 0x10 | 0x20
/** So much of a text is recorded. */
export const textLimit = 64 << 10
/** A side may ask again before it is answered, but not without end. */
const mostAsked = 64

type Fate =
  | { kind: 'drop' }
  | { kind: 'pass' }
  | { kind: 'text'; format: number; bytes: number; parts: Buffer[]; kept: number }
type Asked = { files: false; format: number } | { files: true }

export class ClipboardFilter implements ChannelFilter {
  readonly #port: ClipboardPort
  readonly #send: Send
  /** What each side asked the other for, and is still to get. */
  readonly #asked: Record<Direction, Asked[]> = { in: [], out: [] }
  readonly #messages: Record<From, Messages<Fate>>

  constructor(port: ClipboardPort, send: Send) {
    this.#port = port
    this.#send = send
    this.#messages = {
      client: new Messages((chunk) => this.#begin('client', chunk)),
      server: new Messages((chunk) => this.#begin('server', chunk)),
    }
  }

  pass(from: From, data: Buffer): boolean {
    const { chunk, fate } = this.#messages[from].next(data)
    switch (fate.kind) {
      case 'drop':
        return false
      case 'pass':
        return true
      case 'text': {
        const body = chunk.first ? chunk.data.subarray(8) : chunk.data
        if (fate.kept < textLimit) fate.parts.push(Buffer.from(body.subarray(0, textLimit - fate.kept)))
        fate.kept = Math.min(textLimit, fate.kept + body.length)
        // Before the last byte goes on: a text that can't be recorded does not get there whole.
        if (chunk.last) this.#crossed(from, fate)
        return true
      }
      default:
        return fate satisfies never
    }
  }

  #crossed(from: From, { format, bytes, parts }: Extract<Fate, { kind: 'text' }>): void {
    const text = Buffer.concat(parts)
      .toString(format === 13 ? 'utf16le' : 'latin1')
      .replace(/\0[\s\S]*$/, '')
    this.#port.crossed({ direction: sentBy(from), format: 'text', bytes, text })
  }

  #begin(from: From, { data, total, last }: Chunk): Fate {
    if (data.length < 8) throw new RdpError('a clipboard message is too short')
    const kind = data.readUInt16LE(0)
    const length = data.readUInt32LE(4)
    // Some clients pad; none may say more than they send.
    if (length > total - 8) throw new RdpError('a clipboard message is longer than it says')
    const sends = sentBy(from)
    const gets = sentBy(other(from))
    switch (kind) {
      case type.monitorReady:
      case type.temporaryDirectory:
      case type.formatListResponse:
        return { kind: 'pass' }
      case type.capabilities: {
        if (!last) throw new RdpError('the clipboard’s capabilities are too long')
        if (this.#port.filesAllowed()) return { kind: 'pass' }
        this.#send(other(from), withoutFiles(data))
        return { kind: 'drop' }
      }
      case type.formatList:
        if (this.#port.allowed(sends)) return { kind: 'pass' }
        this.#send(from, message(type.formatListResponse, ok))
        // An empty offer withdraws what was offered before; it says nothing.
        if (length > 0) this.#port.refused(sends)
        return { kind: 'drop' }
      case type.dataRequest:
        if (data.length < 12) throw new RdpError('a clipboard message is too short')
        if (this.#port.allowed(gets)) return this.#ask(gets, { files: false, format: data.readUInt32LE(8) })
        this.#port.refused(gets)
        this.#send(from, message(type.dataResponse, fail))
        return { kind: 'drop' }
      case type.fileRequest:
        if (this.#port.allowed(gets) && this.#port.filesAllowed()) return this.#ask(gets, { files: true })
        this.#port.refused(gets)
        this.#send(from, message(type.fileResponse, fail, data.subarray(8, 12)))
        return { kind: 'drop' }
      case type.lock:
      case type.unlock:
        return { kind: this.#port.filesAllowed() ? 'pass' : 'drop' }
      case type.dataResponse:
      case type.fileResponse:
        return this.#answer(sends, kind === type.fileResponse, data.readUInt16LE(2), length)
      default:
        throw new RdpError(`a clipboard message of an unknown kind (${kind})`)
    }
  }

  #ask(direction: Direction, what: Asked): Fate {
    if (this.#asked[direction].length >= mostAsked) throw new RdpError('the clipboard is asked for too much at once')
    this.#asked[direction].push(what)
    return { kind: 'pass' }
  }

  /** Data goes only to who asked for it, and only while it may. */
  #answer(direction: Direction, files: boolean, flags: number, bytes: number): Fate {
    const at = this.#asked[direction].findIndex((asked) => asked.files === files)
    const [asked] = at < 0 ? [] : this.#asked[direction].splice(at, 1)
    if (asked === undefined) return { kind: 'drop' }
    if ((flags & fail) !== 0 && bytes === 0) return { kind: 'pass' }
    if (!this.#port.allowed(direction) || (files && !this.#port.filesAllowed())) {
      // Half an answer would leave the other side waiting.
      this.#port.refused(direction)
      const to = direction === 'in' ? 'server' : 'client'
      this.#send(
        to,
        message(files ? type.fileResponse : type.dataResponse, fail, files ? Buffer.alloc(4) : Buffer.alloc(0)),
      )
      return { kind: 'drop' }
    }
    if (asked.files) this.#port.crossed({ direction, format: 'files', bytes })
    else if (formatOf(asked.format) === 'text' && this.#port.keepsText()) {
      return { kind: 'text', format: asked.format, bytes, parts: [], kept: 0 }
    } else this.#port.crossed({ direction, format: formatOf(asked.format), bytes })
    return { kind: 'pass' }
  }
}

function sentBy(from: From): Direction {
  return from === 'client' ? 'in' : 'out'
}

function other(from: From): From {
  return from === 'client' ? 'server' : 'client'
}

function message(kind: number, flags: number, body: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([u16(kind), u16(flags), u32(body.length), body])
}

/** A capabilities message whose general set does not know of files. */
function withoutFiles(data: Buffer): Buffer {
  const out = Buffer.from(data)
  if (out.length >= 24 && out.readUInt16LE(12) === 1) out.writeUInt32LE((out.readUInt32LE(20) & ~fileFlags) >>> 0, 20)
  return out
}
