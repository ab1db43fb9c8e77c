import type { Action } from '../../../shared/actions.ts'
import { type ChannelFilter, type Chunk, type From, Messages, type Send } from './channel.ts'
import { deviceAction } from './classify.ts'
import { RdpError, Reader, u32 } from './frames.ts'

/** Device redirection (MS-RDPEFS): what the person's machine offers to the target. */

const core = 0x4472
const announce = 0x4441
/** Announcements are small; they are read whole. */
const longestAnnouncement = 256 << 10

type Fate = { kind: 'pass' } | { kind: 'announce'; parts: Buffer[] }

/** Takes devices that policy does not allow out of announcements, and stops all of them when policy changes under one. */
export class DeviceFilter implements ChannelFilter {
  readonly #allowed: (action: Action) => boolean
  readonly #send: Send
  readonly #announced = new Set<Action>()
  readonly #messages: Record<From, Messages<Fate>> = {
    client: new Messages((chunk) => begin(chunk)),
    server: new Messages(() => ({ kind: 'pass' })),
  }

  /** `allowed` is asked for each message: a grant may end. */
  constructor(allowed: (action: Action) => boolean, send: Send) {
    this.#allowed = allowed
    this.#send = send
  }

  pass(from: From, data: Buffer): boolean {
    const { chunk, fate } = this.#messages[from].next(data)
    for (const action of this.#announced) if (!this.#allowed(action)) return false
    if (fate.kind === 'pass') return true
    fate.parts.push(Buffer.from(chunk.data))
    if (chunk.last) this.#announce(Buffer.concat(fate.parts))
    return false
  }

  #announce(message: Buffer): void {
    const r = new Reader(message, 4)
    const count = r.u32()
    const kept: Buffer[] = []
    for (let i = 0; i < count; i++) {
      const begin = r.at
      const action = deviceAction(r.u32())
      r.take(12)
      r.take(r.u32())
      if (action === undefined || !this.#allowed(action)) continue
      this.#announced.add(action)
      kept.push(message.subarray(begin, r.at))
    }
    this.#send('server', Buffer.concat([message.subarray(0, 4), u32(kept.length), ...kept]))
  }
}

function begin(chunk: Chunk): Fate {
  if (chunk.data.length < 4) throw new RdpError('a message about devices is too short')
  if (chunk.data.readUInt16LE(0) !== core || chunk.data.readUInt16LE(2) !== announce) return { kind: 'pass' }
  if (chunk.total > longestAnnouncement) throw new RdpError('too many devices are announced')
  return { kind: 'announce', parts: [] }
}
