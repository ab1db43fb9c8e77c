import { decoded, encodedPictures, type Picture, Scratch } from '../../../shared/rdp/bitmap.ts'
import { Bytes, RdpError } from '../../../shared/rdp/bytes.ts'

export interface WireEvents {
  /** The desktop's size; pictures after this are of it. */
  sized(width: number, height: number): void
  /** Good until the next one. */
  picture(picture: Picture): void
}

/** Updates in fragments are put together up to this size: what the inspector lets a target send. */
const mostFragmentBytes = 1 << 20
const bitmapUpdate = 1
const shareType = { demandActive: 1, deactivateAll: 6, data: 7 } as const
const bitmapCapability = 2
const attachUserConfirm = 0x2e
const sendDataRequest = 0x64

/**
 * What a desktop sends, on its way to IronRDP: pictures are taken out and decoded here, with the recorder's decoder, so that the person
 * sees what the recording shows. Everything else goes on as it came. The first message is the answer to RDCleanPath (DER), then PDUs.
 */
export class Wire {
  readonly #events: WireEvents
  readonly #scratch = new Scratch()
  #rest: Uint8Array = new Uint8Array()
  #opened = false
  #fragments: { parts: Uint8Array[]; bytes: number } | undefined
  /** Who the viewer is in the conference, as it is counted there; undefined until it was told. */
  #user: number | undefined

  constructor(events: WireEvents) {
    this.#events = events
  }

  /**
   * What is left for IronRDP, as far as whole messages have come; each has to be given to it by itself, for version 0.7 loses what it
   * has read behind the message that ends its sign-in. Throws RdpError on what is no RDP.
   */
  receive(chunk: Uint8Array): Uint8Array<ArrayBuffer>[] {
    const all = joined([this.#rest, chunk])
    const kept: Uint8Array<ArrayBuffer>[] = []
    let at = 0
    for (;;) {
      const length = this.#opened ? lengthOf(all, at) : derLength(all, at)
      if (length === undefined || at + length > all.length) break
      const message = all.subarray(at, at + length)
      at += length
      const left = !this.#opened ? message : message[0] === 3 ? this.#slow(message) : this.#fast(message)
      this.#opened = true
      if (left !== undefined) kept.push(new Uint8Array(left))
    }
    this.#rest = all.slice(at)
    return kept
  }

  /** What IronRDP sends. Version 0.7 answers about dynamic channels in the name of the desktop, which the gateway does not let pass. */
  send(message: Uint8Array): Uint8Array {
    const user = this.#user
    if (user === undefined) return message
    const out = new Uint8Array(message)
    const view = new DataView(out.buffer)
    for (let at = 0; ; ) {
      const length = lengthOf(out, at)
      if (length === undefined || at + length > out.length) return out
      if (out[at] === 3 && out[at + 7] === sendDataRequest && length > 10) view.setUint16(at + 8, user)
      at += length
    }
  }

  /** Fast path: several updates in one PDU. Undefined: nothing of it is left. */
  #fast(pdu: Uint8Array): Uint8Array | undefined {
    const r = new Bytes(pdu, (pdu[1] ?? 0) < 0x80 ? 2 : 3)
    const kept: Uint8Array[] = []
    let taken = false
    while (r.left > 0) {
      const from = r.at
      const header = r.u8()
      if (header >> 6 !== 0) throw new RdpError('the desktop compresses although nobody agreed to it')
      const data = r.take(r.u16())
      if ((header & 15) === bitmapUpdate) {
        taken = true
        this.#fragment((header >> 4) & 3, data)
      } else kept.push(pdu.subarray(from, r.at))
    }
    if (!taken) return pdu
    if (kept.length === 0) return undefined
    const size = kept.reduce((sum, part) => sum + part.length, 3)
    return joined([Uint8Array.of(pdu[0] ?? 0, 0x80 | (size >> 8), size & 0xff), ...kept])
  }

  /** `place`: 0 whole, 2 first, 3 next, 1 last. */
  #fragment(place: number, data: Uint8Array): void {
    if (place === 0) {
      this.#draw(data.subarray(2))
      return
    }
    if ((place === 2) !== (this.#fragments === undefined)) throw new RdpError('a picture is out of order')
    this.#fragments ??= { parts: [], bytes: 0 }
    this.#fragments.parts.push(data.slice())
    this.#fragments.bytes += data.length
    if (this.#fragments.bytes > mostFragmentBytes) throw new RdpError('a picture does not end')
    if (place !== 1) return
    const whole = joined(this.#fragments.parts)
    this.#fragments = undefined
    this.#draw(whole.subarray(2))
  }

  /** Slow path: MCS data with one Share Control PDU. Undefined: nothing of it is left. */
  #slow(pdu: Uint8Array): Uint8Array | undefined {
    if (pdu[7] === attachUserConfirm && pdu.length >= 11) this.#user = ((pdu[9] ?? 0) << 8) | (pdu[10] ?? 0)
    const data = mcsData(pdu)
    if (data === undefined || data.length < 6) return pdu
    const r = new Bytes(data)
    if (r.u16() !== data.length) return pdu
    const type = r.u16() & 15
    if (type === shareType.deactivateAll && data.length < wholeDeactivation) return deactivation(pdu, data)
    if (data.length < 20) return pdu
    if (type === shareType.demandActive) {
      const size = desktopSize(data)
      if (size !== undefined) this.#events.sized(size.width, size.height)
    }
    // Share Data: its own type, and where it updates, that of the update.
    if (type !== shareType.data || data[14] !== 2 || data[18] !== bitmapUpdate) return pdu
    this.#draw(data.subarray(20))
    return undefined
  }

  #draw(update: Uint8Array): void {
    for (const picture of encodedPictures(update)) this.#events.picture(decoded(picture, this.#scratch))
  }
}

/** Length of the PDU at `at`; undefined until it can be told. */
function lengthOf(bytes: Uint8Array, at: number): number | undefined {
  const [first, second, third, fourth] = bytes.subarray(at, at + 4)
  if (first === undefined || second === undefined || third === undefined) return undefined
  if (first === 3) {
    if (fourth === undefined) return undefined
    const length = (third << 8) | fourth
    if (length < 7) throw new RdpError('a message is shorter than its own header')
    return length
  }
  if ((first & 3) !== 0) throw new RdpError('a message is neither slow path nor fast path')
  const length = second < 0x80 ? second : ((second & 0x7f) << 8) | third
  if (length < 3) throw new RdpError('a message is shorter than its own header')
  return length
}

function derLength(bytes: Uint8Array, at: number): number | undefined {
  const [tag, first, high, low] = bytes.subarray(at, at + 4)
  if (tag === undefined || first === undefined) return undefined
  if (first < 0x80) return 2 + first
  if (first === 0x81) return high === undefined ? undefined : 3 + high
  if (first === 0x82) return high === undefined || low === undefined ? undefined : 4 + ((high << 8) | low)
  throw new RdpError('the answer is too long')
}

/** Share Control header, share id, and a source descriptor of one byte (MS-RDPBCGR 2.2.3.1.1). */
const wholeDeactivation = 13

/** xrdp, as old Windows does, leaves out all behind the header, which IronRDP takes for a broken message: a change of size begins with it. */
function deactivation(pdu: Uint8Array, data: Uint8Array): Uint8Array {
  const whole = new Uint8Array(wholeDeactivation)
  whole.set(data)
  whole.set([wholeDeactivation, 0])
  whole.set([1, 0], 10)
  const head = pdu.slice(0, beforeMcsLength)
  const out = joined([head, Uint8Array.of(0x80, wholeDeactivation), whole])
  out.set([out.length >> 8, out.length & 0xff], 2)
  return out
}

/** TPKT, X.224, and of a Send Data Indication all before its length. */
const beforeMcsLength = 13

/** What a Send Data Indication carries. */
function mcsData(pdu: Uint8Array): Uint8Array | undefined {
  if (pdu[7] !== 0x68 || pdu.length < 15) return undefined
  const first = pdu[beforeMcsLength] ?? 0
  return pdu.subarray(beforeMcsLength + (first < 0x80 ? 1 : 2))
}

/** The size in the bitmap capability of a Demand Active PDU. */
function desktopSize(pdu: Uint8Array): { width: number; height: number } | undefined {
  const r = new Bytes(pdu, 10)
  const name = r.u16()
  r.u16()
  r.take(name)
  const count = r.u16()
  r.u16()
  for (let i = 0; i < count; i++) {
    const kind = r.u16()
    const set = new Bytes(r.take(Math.max(0, r.u16() - 4)))
    if (kind !== bitmapCapability) continue
    set.take(8)
    return { width: set.u16(), height: set.u16() }
  }
  return undefined
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
