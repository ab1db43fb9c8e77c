/** What the viewer says of this machine, where IronRDP says nothing or too little. */
export interface ClientSettings {
  /** Keyboard layout, as Windows numbers them; keys and characters are understood by it. */
  keyboard: number
}

const conference = [0x44, 0x75, 0x63, 0x61]
const clientCore = 0xc001
/** From the start of the block, header included. */
const at = { keyboard: 16, build: 20, depth: 140, depths: 142 } as const
const millions = 24
/** A Windows that knows display control; xrdp changes the size for no client that says to be older than Windows XP. */
const build = 19_041
/** 24 bits a pixel, among the depths that are supported. */
const supportsMillions = 1

/**
 * An outgoing message. The one that begins the conference (MCS Connect Initial, with the core data of MS-RDPBCGR 2.2.1.3.2 in it)
 * comes back with these settings, any other as it is.
 */
export function withSettings(message: Uint8Array, { keyboard }: ClientSettings): Uint8Array {
  if (message[0] !== 3 || message[7] !== 0x7f || message[8] !== 0x65) return message
  const key = indexOf(message, conference)
  if (key < 0) return message
  const length = key + conference.length
  const core = length + ((message[length] ?? 0) < 0x80 ? 1 : 2)
  const out = new Uint8Array(message)
  const view = new DataView(out.buffer)
  if (core + at.depths + 2 > out.length || view.getUint16(core, true) !== clientCore) return message
  view.setUint32(core + at.keyboard, keyboard, true)
  view.setUint32(core + at.build, build, true)
  view.setUint16(core + at.depth, millions, true)
  view.setUint16(core + at.depths, view.getUint16(core + at.depths, true) | supportsMillions, true)
  return out
}

function indexOf(bytes: Uint8Array, what: readonly number[]): number {
  for (let from = 0; from + what.length <= bytes.length; from++) {
    if (what.every((byte, i) => bytes[from + i] === byte)) return from
  }
  return -1
}
