import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import * as tls from 'node:tls'
import {
  connectionConfirm,
  connectionFailure,
  connectionRequest,
  type Mcs,
  mcsData,
  PduSplitter,
  parseMcs,
  slow,
  slowPayload,
  u16,
  u32,
} from '../frames.ts'
import { type ClientSettings, clientSettings, parseClientSettings, serverSettings } from '../gcc.ts'
import { readPdu } from '../read-pdu.ts'
import type { Identity, RdpTarget } from '../tls.ts'
import { credential } from './door.ts'

const domain = Buffer.from('300c020100020100020100020100', 'hex')
const io = 1003
const user = 1010
const soon = (): AbortSignal => AbortSignal.timeout(10_000)

/** What a client may ask for, in this order. */
export const asked = ['cliprdr', 'rdpdr', 'rdpsnd', 'drdynvc', 'custom1']

export interface FakeTarget {
  /** How a connection names it: its certificate, and an account of some name. */
  address: RdpTarget
  /** What it was asked for, and what came after the settings exchange. */
  settings: ClientSettings[]
  received: Mcs[]
  /** Streams after TLS. */
  streams: tls.TLSSocket[]
  dialled: number
  close(): Promise<void>
}

/** How a target behaves, and where it stops: what begins with `no-` is what never comes. */
export type TargetAnswer =
  | 'tls'
  | 'nla'
  | 'plain'
  | 'early'
  | 'silent'
  | 'no-tls'
  | 'no-nla'
  | 'no-settings'
  | 'no-user'
  | 'no-desktop'

/** A target that goes through the whole sign-in, and remembers what it heard. */
export async function startTarget(
  identity: Identity,
  answer: TargetAnswer = 'tls',
  desktop = { width: 640, height: 480 },
): Promise<FakeTarget> {
  const settings: ClientSettings[] = []
  const received: Mcs[] = []
  const streams: tls.TLSSocket[] = []
  const sockets: Socket[] = []
  const target = { settings, received, streams, dialled: 0 }
  const serve = async (socket: Socket): Promise<void> => {
    await readPdu(socket, { signal: soon(), limit: 1_000, more: true, who: 'client' })
    if (answer === 'silent') return
    if (answer === 'nla') {
      socket.end(connectionFailure(5))
      return
    }
    socket.write(connectionConfirm(answer === 'plain' ? 0 : answer === 'no-nla' ? 2 : 1))
    if (answer === 'early') socket.write('x')
    if (answer === 'no-tls') return
    const secure = new tls.TLSSocket(socket, { isServer: true, key: identity.key, cert: identity.certificate })
    secure.on('error', () => secure.destroy())
    streams.push(secure)
    await once(secure, 'secure', { signal: soon() })
    if (answer === 'no-nla') {
      secure.resume()
      return
    }
    const wants = parseClientSettings(
      await readPdu(secure, { signal: soon(), limit: 16_384, more: true, who: 'client' }),
    )
    settings.push(wants)
    if (answer === 'no-settings') return
    const before = Buffer.concat([Buffer.from('0a0100020100', 'hex'), domain])
    const prelude = Buffer.from('14760a01010001c0004d63446e', 'hex')
    const ids = wants.channels.map((_, i) => io + 1 + i)
    const core = Buffer.from('04000800', 'hex')
    secure.write(serverSettings({ ioChannel: io, channels: [], envelope: { before, prelude }, core }, ids, 1))
    const splitter = new PduSplitter()
    secure.on('data', (chunk: Buffer) => {
      try {
        for (const pdu of splitter.push(chunk)) {
          if (pdu.kind === 'slow') hear(secure, answer, parseMcs(slowPayload(pdu.bytes)), received, desktop)
        }
      } catch {
        // What came was mangled by the test, and went through: the target leaves, as a real one would.
        secure.destroy()
      }
    })
    secure.resume()
  }
  const server = createServer((socket) => {
    target.dialled++
    sockets.push(socket)
    socket.on('error', () => socket.destroy())
    serve(socket).catch(() => socket.destroy())
  })
  const certificates = [new X509Certificate(identity.certificate).fingerprint256]
  const address: RdpTarget = {
    kind: 'rdp',
    host: '127.0.0.1',
    port: await listen(server),
    user: 'clerk',
    password: 'only the gateway knows',
    domain: '',
    tls: { mode: 'pinned', certificates },
  }
  return Object.assign(target, {
    address,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

function hear(
  secure: tls.TLSSocket,
  answer: TargetAnswer,
  mcs: Mcs,
  received: Mcs[],
  desktop: { width: number; height: number },
): void {
  received.push(mcs)
  if (answer === 'no-user') return
  if (mcs.kind === 'attach') secure.write(slow(Buffer.from([0x2e, 0, 0, user - 1001])))
  if (mcs.kind === 'join') {
    const body = Buffer.from([0x3e, 0, 0, 0, 0, 0, 0, 0])
    body.writeUInt16BE(mcs.user - 1001, 2)
    body.writeUInt16BE(mcs.channel, 4)
    body.writeUInt16BE(mcs.channel, 6)
    secure.write(slow(body))
  }
  const first = mcs.kind === 'data' && mcs.channel === io ? mcs.data.readUInt16LE(0) : 0
  if (answer === 'no-desktop') return
  if (first === 0x40) secure.write(mcsData('server', 1002, io, licence()))
  if (first === 0x40) secure.write(mcsData('server', 1002, io, demandActive(desktop)))
}

function licence(): Buffer {
  return Buffer.concat([u16(0x80), u16(0), Buffer.from([0xff, 3, 16, 0]), u32(7), u32(2), Buffer.from([4, 0, 0, 0])])
}

/** General, bitmap and order capabilities, and one that has to go. */
export function demandActive({ width, height } = { width: 640, height: 480 }): Buffer {
  const bitmap = Buffer.alloc(24)
  bitmap.writeUInt16LE(24, 0)
  bitmap.writeUInt16LE(width, 8)
  bitmap.writeUInt16LE(height, 10)
  const sets = [
    [1, Buffer.alloc(20)],
    [2, bitmap],
    [3, Buffer.alloc(84, 1)],
    [0x1d, Buffer.alloc(8)],
  ] as const
  const combined = Buffer.concat(sets.flatMap(([kind, data]) => [u16(kind), u16(data.length + 4), data]))
  const body = Buffer.concat([
    u16(0x11),
    u16(1002),
    u32(0x103ea),
    u16(4),
    u16(combined.length + 4),
    Buffer.from('RDP\0'),
    u16(sets.length),
    u16(0),
    combined,
    u32(0),
  ])
  return Buffer.concat([u16(body.length + 2), body])
}

export interface FakeClient {
  stream: tls.TLSSocket
  /** As the certificate's fingerprint. */
  certificate: string
  received: Mcs[]
  /** Resolves with whatever came when the stream closes. */
  closed: Promise<void>
  send(...pdus: Buffer[]): void
}

/** Opens a connection as a native program does, until after the settings exchange; then joins and signs in. */
export async function startClient(port: number, as = credential, protocols = 3): Promise<FakeClient> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.on('error', () => socket.destroy())
  await once(socket, 'connect')
  socket.write(requestFor(as.username, protocols))
  const confirm = await readPdu(socket, { signal: soon(), limit: 1_000, more: false, who: 'target' })
  if (confirm[11] !== 2) throw new Error('refused')
  const secure = tls.connect({ socket, rejectUnauthorized: false })
  secure.on('error', () => secure.destroy())
  await once(secure, 'secureConnect', { signal: soon() })
  secure.write(connectInitial())
  const received: Mcs[] = []
  const closed = new Promise<void>((resolve) => secure.once('close', () => resolve()))
  const first = readPdu(secure, { signal: soon(), limit: 16_384, more: true, who: 'target' })
  await first
  const splitter = new PduSplitter()
  secure.on('data', (chunk: Buffer) => {
    for (const pdu of splitter.push(chunk)) {
      if (pdu.kind === 'slow') received.push(parseMcs(slowPayload(pdu.bytes)))
    }
  })
  secure.resume()
  const join = Buffer.from([0x38, 0, user - 1001, 0, 0])
  join.writeUInt16BE(io, 3)
  secure.write(Buffer.concat([slow(Buffer.from([4, 1, 0, 1, 0])), slow(Buffer.from([0x28]))]))
  await until(() => received.some((mcs) => mcs.kind === 'attached'))
  secure.write(slow(join))
  await until(() => received.some((mcs) => mcs.kind === 'joined'))
  secure.write(mcsData('client', user, io, info(as)))
  return {
    stream: secure,
    certificate: secure.getPeerCertificate().fingerprint256,
    received,
    closed,
    send: (...pdus) => {
      for (const pdu of pdus) secure.write(pdu)
    },
  }
}

export function requestFor(name: string, protocols: number): Buffer {
  const plain = connectionRequest(protocols)
  const cookie = Buffer.from(`Cookie: mstshash=${name}\r\n`)
  const out = Buffer.concat([plain.subarray(0, 11), cookie, plain.subarray(11)])
  out.writeUInt16BE(out.length, 2)
  out[4] = out.length - 5
  return out
}

export function connectInitial(): Buffer {
  const core = Buffer.alloc(212)
  core.writeUInt16LE(640, 4)
  core.writeUInt16LE(480, 6)
  core.writeUInt16LE(0x0fff, 140)
  const before = Buffer.concat([Buffer.from('0401010401010101ff', 'hex'), domain, domain, domain])
  const channels = asked.map((name) => ({ name, options: 0xc0000000 }))
  return clientSettings(
    { width: 640, height: 480, channels, envelope: { before, prelude: before }, core, monitors: undefined },
    channels,
    0,
  )
}

export function info({ username, password }: { username: string; password: string }): Buffer {
  const strings = ['', username, password, 'evil.exe', ''].map((text) => Buffer.from(text, 'utf16le'))
  return Buffer.concat([
    u16(0x40),
    u16(0),
    u32(0),
    u32(0x10 | 0x80),
    ...strings.map((text) => u16(text.length)),
    ...strings.flatMap((text) => [text, u16(0)]),
  ])
}

export async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 10_000
  while (!condition()) {
    if (Date.now() > end) throw new Error('it did not happen')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

function listen(server: ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(address !== null && typeof address === 'object' ? address.port : 0)
    })
  })
}
