import { shareType } from './capabilities.ts'
import { Reader, u16, u32 } from './frames.ts'

/** Share Data PDUs: `total:u16 type:u16 source:u16 shareId:u32 pad:u8 stream:u8 length:u16 type2:u8 compression:u8 length:u16 …`. */
export const shareDataHeader = 18
export const updateType = { update: 2, input: 28, errorInfo: 47 } as const
/** Who the target is among the users of the conference. */
export const serverUser = 1002

/** Demand Active is the first Share Control PDU; a licence begins with flags that are no length. */
export function isShare(data: Buffer): boolean {
  const r = new Reader(data)
  return r.u16() === data.length && (r.u16() & 0xff0f) === shareType.demandActive
}

/** Set Error Info: why it is about to end. */
export function errorInfo(shareId: number, code: number): Buffer {
  const body = Buffer.concat([
    u16(0x17),
    u16(serverUser),
    u32(shareId),
    Buffer.from([0, 1]),
    u16(8),
    Buffer.from([updateType.errorInfo, 0]),
    u16(0),
    u32(code),
  ])
  return Buffer.concat([u16(body.length + 2), body])
}
