import { once } from 'node:events'
import { connect } from 'node:net'
import * as tls from 'node:tls'
import {
  connectionRequest,
  mcsData,
  PduSplitter,
  parseMcs,
  slow,
  slowPayload,
  u16,
  u32,
} from '../../agent/inspect/rdp/frames.ts'
import { clientSettings, parseServerSettings } from '../../agent/inspect/rdp/gcc.ts'
import { readPdu } from '../../agent/inspect/rdp/read-pdu.ts'
import { UpdateReader } from '../../agent/inspect/rdp/updates.ts'
import { bitmapUpdate } from '../../shared/rdp/bitmap.ts'

/** A client that asks for bitmaps alone, whoever it talks to: direct and through the gateway it gets the same. */
export interface RdpClient {
  /** Pixels drawn so far. */
  readonly pixels: number
  /** Presses and releases a key by its scan code. */
  press(code: number): void
  move(x: number, y: number): void
  /** Resolves at the next picture. */
  painted(): Promise<void>
  close(): void
}

export async function openRdp(
  way: { port: number; user: string; password: string },
  size: { width: number; height: number },
): Promise<RdpClient> {
  const signal = AbortSignal.timeout(20_000)
  const socket = connect({ host: '127.0.0.1', port: way.port, noDelay: true })
  await once(socket, 'connect')
  socket.write(connectionRequest(1))
  await readPdu(socket, { signal, limit: 1_000, more: false, who: 'target' })
  const stream = tls.connect({ socket, rejectUnauthorized: false })
  stream.on('error', () => stream.destroy())
  await once(stream, 'secureConnect', { signal })
  stream.write(initial(size))
  const answer = await readPdu(stream, { signal, limit: 16_384, more: true, who: 'target' })
  const { ioChannel } = parseServerSettings(answer)
  stream.write(slow(Buffer.from([4, 1, 0, 1, 0])))
  stream.write(slow(Buffer.from([0x28])))

  let user = 0
  let joined = 0
  let pixels = 0
  let tell: (() => void)[] = []
  const ready = Promise.withResolvers<void>()
  const send = (data: Buffer): void => {
    stream.write(mcsData('client', user, ioChannel, data))
  }
  const updates = new UpdateReader((update) => {
    for (const { shownWidth, shownHeight } of bitmapUpdate(update)) pixels += shownWidth * shownHeight
    for (const each of tell.splice(0)) each()
  })
  const splitter = new PduSplitter()
  stream.on('data', (chunk: Buffer) => {
    for (const pdu of splitter.push(chunk)) {
      if (pdu.kind === 'fast') {
        updates.fast(pdu.bytes[0] ?? 0, pdu.payload)
        continue
      }
      const mcs = parseMcs(slowPayload(pdu.bytes))
      if (mcs.kind === 'attached') {
        user = mcs.user
        for (const channel of [user, ioChannel]) {
          const join = Buffer.from([0x38, 0, 0, 0, 0])
          join.writeUInt16BE(user - 1001, 1)
          join.writeUInt16BE(channel, 3)
          stream.write(slow(join))
        }
      } else if (mcs.kind === 'joined' && ++joined === 2) send(info(way))
      else if (mcs.kind === 'data') {
        const type = mcs.data.length >= 6 ? mcs.data.readUInt16LE(2) & 0xff1f : 0
        // A licence is offered: any answer will do, for nobody checks it.
        if (mcs.data.readUInt16LE(0) === 0x80 && mcs.data[4] === 1) send(Buffer.from('800000001303080000000000', 'hex'))
        else if ((type & 15) === 1 && mcs.data.readUInt16LE(0) === mcs.data.length) {
          const share = mcs.data.readUInt32LE(6)
          for (const data of activation(share, user, size)) send(data)
          ready.resolve()
        } else if ((type & 15) === 7 && mcs.data[14] === 2) updates.slow(mcs.data.subarray(18))
      }
    }
  })
  stream.once('close', () => ready.reject(new Error('the desktop was closed')))
  stream.resume()
  await ready.promise
  return {
    get pixels() {
      return pixels
    },
    press: (code) => {
      // One event each; the second is its release.
      stream.write(Buffer.from([4, 4, 0, code]))
      stream.write(Buffer.from([4, 4, 1, code]))
    },
    move: (x, y) => {
      stream.write(Buffer.concat([Buffer.from([4, 9, 0x20]), u16(0x0800), u16(x), u16(y)]))
    },
    painted: () => new Promise((resolve) => tell.push(resolve)),
    close: () => {
      tell = []
      stream.destroy()
    },
  }
}

function initial({ width, height }: { width: number; height: number }): Buffer {
  const core = Buffer.alloc(212)
  core.writeUInt32LE(0x00080004, 0)
  core.writeUInt16LE(width, 4)
  core.writeUInt16LE(height, 6)
  core.writeUInt16LE(0xca01, 8)
  core.writeUInt16LE(0xaa03, 10)
  core.writeUInt32LE(0x409, 12)
  core.writeUInt32LE(2600, 16)
  core.write('bench', 20, 'utf16le')
  core.writeUInt32LE(4, 52)
  core.writeUInt32LE(12, 60)
  core.writeUInt16LE(0xca01, 128)
  core.writeUInt16LE(1, 130)
  core.writeUInt16LE(24, 136)
  core.writeUInt16LE(7, 138)
  core.writeUInt16LE(1, 140)
  const before = Buffer.concat([Buffer.from('0401010401010101ff', 'hex'), threeDomains()])
  return clientSettings(
    { width, height, channels: [], envelope: { before, prelude: before }, core, monitors: undefined },
    [],
    1,
  )
}

function threeDomains(): Buffer {
  const of = (values: readonly number[]): Buffer => {
    const body = Buffer.concat(
      values.map((value) =>
        value < 0x80 ? Buffer.from([2, 1, value]) : Buffer.from([2, 3, value >> 16, (value >> 8) & 255, value & 255]),
      ),
    )
    return Buffer.concat([Buffer.from([0x30, body.length]), body])
  }
  return Buffer.concat([
    of([34, 2, 0, 1, 0, 1, 0xffff, 2]),
    of([1, 1, 1, 1, 0, 1, 0x420, 2]),
    of([0xffff, 0xfc17, 0xffff, 1, 0, 1, 0xffff, 2]),
  ])
}

function info({ user, password }: { user: string; password: string }): Buffer {
  const strings = ['', user, password, '', ''].map((text) => Buffer.from(text, 'utf16le'))
  return Buffer.concat([
    u16(0x40),
    u16(0),
    u32(0),
    // Mouse, no Ctrl+Alt+Del, signed in at once, Unicode, maximised shell, no sound.
    u32(0x1 | 0x2 | 0x8 | 0x10 | 0x20 | 0x80000),
    ...strings.map((text) => u16(text.length)),
    ...strings.flatMap((text) => [text, u16(0)]),
    u16(2),
    u16(2),
    u16(0),
    u16(2),
    u16(0),
    Buffer.alloc(172),
    u32(0),
    u32(7),
    u16(0),
  ])
}

/** Confirm Active, then the four messages that begin a session. */
function activation(share: number, user: number, { width, height }: { width: number; height: number }): Buffer[] {
  const set = (kind: number, ...fields: Buffer[]): Buffer => {
    const data = Buffer.concat(fields)
    return Buffer.concat([u16(kind), u16(data.length + 4), data])
  }
  const order = Buffer.alloc(84)
  order.writeUInt16LE(1, 24)
  order.writeUInt16LE(0x2 | 0x8, 30)
  order.writeUInt16LE(1, 26)
  const sets = [
    set(1, u16(1), u16(3), u16(0x200), u16(0), u16(0), u16(0x405), u16(0), u16(0), u16(0), u16(0)),
    set(2, ...[24, 1, 1, 1, width, height, 0, 1, 1, 0, 1, 0].map(u16)),
    set(3, order),
    set(4, Buffer.alloc(36)),
    set(8, u16(1), u16(20), u16(20)),
    set(13, u16(0x1 | 0x4 | 0x8 | 0x20), u16(0), u32(0x409), u32(4), u32(0), u32(12), Buffer.alloc(64)),
    set(15, u32(0)),
    set(20, u32(0), u32(1600)),
  ]
  const combined = Buffer.concat(sets)
  const control = (type: number, body: Buffer): Buffer =>
    Buffer.concat([u16(body.length + 6), u16(type), u16(user), body])
  const confirm = control(
    0x13,
    Buffer.concat([
      u32(share),
      u16(1002),
      u16(6),
      u16(combined.length + 4),
      Buffer.from('BENCH\0'),
      u16(sets.length),
      u16(0),
      combined,
    ]),
  )
  const data = (type: number, body: Buffer): Buffer =>
    control(
      0x17,
      Buffer.concat([u32(share), Buffer.from([0, 1]), u16(body.length + 4), Buffer.from([type, 0]), u16(0), body]),
    )
  return [
    confirm,
    data(31, Buffer.concat([u16(1), u16(1002)])),
    data(20, Buffer.concat([u16(4), u16(0), u32(0)])),
    data(20, Buffer.concat([u16(1), u16(0), u32(0)])),
    data(39, Buffer.concat([u16(0), u16(0), u16(3), u16(50)])),
  ]
}
