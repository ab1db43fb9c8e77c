import { RdpError, Reader } from './frames.ts'

/** That somebody typed or moved: never what. */
export interface Activity {
  keys: number
  clicks: number
  moves: number
  pointer: { x: number; y: number } | undefined
}

export function noActivity(): Activity {
  return { keys: 0, clicks: 0, moves: 0, pointer: undefined }
}

const mouse = { move: 0x0800, down: 0x8000, wheel: 0x0600 } as const
const largest = 32_767

/** Counts the events of a fast-path input PDU. `header` is its first byte. */
export function countFast(header: number, payload: Buffer, into: Activity): void {
  if ((header & 0xc0) !== 0) throw new RdpError('input is encrypted although nobody agreed to it')
  const r = new Reader(payload)
  const few = (header >> 2) & 15
  const count = few === 0 ? r.u8() : few
  for (let i = 0; i < count; i++) {
    const event = r.u8()
    switch (event >> 5) {
      case 0:
        r.u8()
        if ((event & 1) === 0) into.keys++
        break
      case 1:
      case 2:
        pointer(r, into)
        break
      case 3:
        break
      case 4:
        r.u16()
        if ((event & 1) === 0) into.keys++
        break
      case 5:
        r.take(6)
        into.moves++
        break
      case 6:
        r.u32()
        break
      default:
        throw new RdpError('input of an unknown kind')
    }
  }
}

/** Counts the events of a slow-path input PDU; `data` begins at `numEvents`. */
export function countSlow(data: Buffer, into: Activity): void {
  const r = new Reader(data)
  const count = r.u16()
  r.u16()
  for (let i = 0; i < count; i++) {
    r.u32()
    const type = r.u16()
    const body = new Reader(r.take(6))
    if (type === 4 || type === 5) {
      if ((body.u16() & 0x8000) === 0) into.keys++
    } else if (type === 0x8001 || type === 0x8002) pointer(body, into)
  }
}

function pointer(r: Reader, into: Activity): void {
  const flags = r.u16()
  const [x, y] = [Math.min(r.u16(), largest), Math.min(r.u16(), largest)]
  if ((flags & mouse.wheel) !== 0) {
    into.moves++
    return
  }
  into.pointer = { x, y }
  if ((flags & mouse.down) !== 0) into.clicks++
  else if ((flags & mouse.move) !== 0) into.moves++
}
