import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { backend, cstring, int16, int32, message, messages } from '../messages.ts'
import { memoryTarget } from '../testing/memory.ts'
import { type CatalogSource, createCatalogSource } from './catalog.ts'

const limit = 1 << 20
let server: Server | undefined
let source: CatalogSource | undefined

afterEach(async () => {
  await source?.close().catch(() => {})
  await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())))
})

/** A target that greets as it should, where `greets`, and then says `flood` for as long as anybody takes it. */
async function hostile(greets: boolean, flood: Buffer): Promise<number> {
  const pour = (socket: Socket): void => {
    while (socket.writable && socket.write(flood));
    socket.once('drain', () => pour(socket))
  }
  server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => {
      if (!greets) return pour(socket)
      socket.write(Buffer.concat([messages.authenticationOk, messages.readyForQuery(0x49)]))
      socket.once('data', () => {
        socket.write(described)
        pour(socket)
      })
    })
  })
  const listening = server
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  const address = listening.address()
  return address !== null && typeof address === 'object' ? address.port : 0
}

const described = Buffer.concat([
  message(backend.parseComplete),
  message(backend.bindComplete),
  message(
    backend.rowDescription,
    int16(1),
    cstring('x'),
    int32(0),
    int16(0),
    int32(25),
    int16(-1),
    int32(-1),
    int16(0),
  ),
])
const times = (count: number, one: Buffer): Buffer => Buffer.concat(Array.from({ length: count }, () => one))
const row = (value: string): Buffer => message(backend.dataRow, int16(1), int32(value.length), Buffer.from(value))
/** 280 kB of 40,000 of them take more than 1 MiB here. */
const empty = message(backend.dataRow, int16(0))
const over = Buffer.concat([message(backend.commandComplete, cstring('SHOW')), messages.readyForQuery(0x49)])
const notice = message(backend.notice, Buffer.from('SNOTICE\0C00000\0Mhello\0\0'))

describe('what a target may say about its catalog', () => {
  it.each([
    ['rows without end', true, times(100, row('x'.repeat(1_000)))],
    ['rows that hold next to nothing', true, Buffer.concat([times(40_000, empty), over])],
    ['one row without end', true, Buffer.concat([Buffer.from('D\x7f\0\0\0'), Buffer.alloc(100_000)])],
    ['notices without end', true, times(1_000, notice)],
    ['notices before anybody signed in', false, times(1_000, notice)],
  ])('is bounded: %s', async (_, greets, flood) => {
    const port = await hostile(greets, flood)
    source = createCatalogSource(limit)
    const catalog = source.get({ ...memoryTarget, host: '127.0.0.1', port })
    await expect(catalog.ready()).rejects.toThrow('more than 1 MiB')
    expect(catalog.current).toBeUndefined()
  })

  it('is refused where names are cut elsewhere', async () => {
    const shown = Buffer.concat([described, row('127'), over])
    server = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => {
        socket.write(Buffer.concat([messages.authenticationOk, messages.readyForQuery(0x49)]))
        socket.once('data', () => socket.write(shown))
      })
    })
    const listening = server
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
    const address = listening.address()
    source = createCatalogSource()
    const port = address !== null && typeof address === 'object' ? address.port : 0
    const catalog = source.get({ ...memoryTarget, host: '127.0.0.1', port })
    await expect(catalog.ready()).rejects.toThrow('names of 127 bytes')
  })
})
