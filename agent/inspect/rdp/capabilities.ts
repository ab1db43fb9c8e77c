import { RdpError, Reader, u16 } from './frames.ts'

/**
 * Share Control PDUs on the I/O channel: `totalLength:u16 pduType:u16 pduSource:u16 …`. The two that negotiate capabilities
 * are written anew, so that pictures come as bitmap updates and nothing is compressed across messages.
 */

export const shareType = { demandActive: 1, confirmActive: 3, deactivateAll: 6, data: 7, redirection: 10 } as const

/** Capability sets that are passed; all others are left out, for they lead to drawings that can't be recorded. */
const kept = new Set([
  1 /* general */, 2 /* bitmap */, 3 /* order */, 4 /* bitmap cache */, 5 /* control */, 7 /* activation */,
  8 /* pointer */, 9 /* share */, 10 /* colour cache */, 12 /* sound */, 13 /* input */, 14 /* font */, 15 /* brush */,
  16 /* glyph cache */, 20 /* virtual channel */, 26 /* multifragment update */, 27 /* large pointer */,
])
const general = 1
const bitmap = 2
const order = 3
const virtualChannel = 20
const multifragment = 26
/** Fragments are put together up to this size. */
export const mostFragmentBytes = 1 << 20

export interface Capabilities {
  bytes: Buffer
  /** The bitmap capability: the desktop's size. */
  desktop: { width: number; height: number } | undefined
  /** `shareId` of the PDU. */
  shareId: number
}

/** Rewrites a Demand Active or Confirm Active PDU. */
export function rewriteCapabilities(pdu: Buffer): Capabilities {
  const r = new Reader(pdu)
  r.u16()
  const type = r.u16()
  const demand = (type & 15) === shareType.demandActive
  r.u16()
  const shareId = r.u32()
  if (!demand) r.u16()
  const before = pdu.subarray(2, r.at)
  const nameLength = r.u16()
  r.u16()
  const name = r.take(nameLength)
  const count = r.u16()
  r.u16()
  let desktop: Capabilities['desktop']
  const sets: Buffer[] = []
  for (let i = 0; i < count; i++) {
    const kind = r.u16()
    const length = r.u16()
    if (length < 4) throw new RdpError('a capability is shorter than its own header')
    const data = Buffer.from(r.take(length - 4))
    if (!kept.has(kind)) continue
    if (kind === bitmap && data.length >= 12) desktop = { width: data.readUInt16LE(8), height: data.readUInt16LE(10) }
    tame(kind, data)
    sets.push(u16(kind), u16(length), data)
  }
  const rest = r.rest()
  const combined = Buffer.concat(sets)
  const body = Buffer.concat([
    before,
    u16(nameLength),
    u16(combined.length + 4),
    name,
    u16(sets.length / 3),
    u16(0),
    combined,
    rest,
  ])
  return { bytes: Buffer.concat([u16(body.length + 2), body]), desktop, shareId }
}

function tame(kind: number, data: Buffer): void {
  switch (kind) {
    case general:
      // No automatic reconnection: its cookie would sign in without the inspector.
      if (data.length >= 16) data.writeUInt16LE(data.readUInt16LE(10) & ~0x0008, 10)
      break
    case order:
      // No drawing orders at all, so that bitmaps are all there is.
      if (data.length >= 68) {
        data.writeUInt16LE(data.readUInt16LE(30) & ~0x0080, 30)
        data.fill(0, 32, 64)
        data.writeUInt16LE(0, 66)
      }
      break
    case virtualChannel:
      if (data.length >= 4) data.writeUInt32LE(0, 0)
      break
    case multifragment:
      if (data.length >= 4) data.writeUInt32LE(Math.min(data.readUInt32LE(0), mostFragmentBytes), 0)
      break
  }
}
