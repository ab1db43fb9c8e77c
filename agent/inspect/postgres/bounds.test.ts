import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Snapshot } from './catalog/catalog.ts'
import { RowMasker, Sheet } from './mask/rows.ts'
import { cstring, frontend, int16, int32, message, messages } from './messages.ts'
import { Names } from './names.ts'
import { loadParser } from './parser.ts'
import { Scripts } from './statements.ts'
import { openDoor } from './testing/door.ts'
import { startPostgres, type TestPostgres } from './testing/postgres.ts'
import { say, summary, talk } from './testing/wire.ts'

const meaning = {
  catalog: new Snapshot(1, 'orders', { own: { relations: [], functions: [] } }),
  searchPath: ['public'],
  uncommitted: undefined,
}

describe('what a session keeps', () => {
  beforeAll(loadParser)

  it('of statements is bounded in bytes, and not in their number alone', () => {
    const scripts = new Scripts()
    // A column in every second byte: each is remembered with its mask.
    for (let i = 0; i < 200; i++) scripts.get(`select ${'1,'.repeat(900)} ${i}::int2`, meaning, true)
    expect(scripts.bytes).toBeLessThan(4.5 * 2 ** 20)
    const recent = `select ${'1,'.repeat(900)} 199::int2`
    expect(scripts.get(recent, meaning, true)).toBe(scripts.get(recent, meaning, true))
    // One that is larger than it is worth does not push the others out.
    scripts.get(`select ${'1,'.repeat(4_000)} 1::int2`, meaning, true)
    expect(scripts.get(recent, meaning, true)).toBe(scripts.get(recent, meaning, true))
  })

  it('under names is bounded in bytes', () => {
    const names = new Names<string>((value) => value.length)
    const large = 'x'.repeat(1 << 20)
    for (let i = 0; i < 200; i++) {
      // Taken and dropped again, or refused by the target: nothing stays.
      names.write(`a${i % 3}`, large, i).confirm()
      names.write(`b${i}`, large, i).discard(false)
      names.write(`a${i % 3}`, null, i).confirm()
    }
    expect(names.bytes).toBe(0)
    const keep = (): void => {
      for (let i = 0; i < 200; i++) names.write(`n${i}`, large, i).confirm()
    }
    expect(keep).toThrow('more than 32 MiB')
    expect(names.bytes).toBeLessThan(34 << 20)
    // What was waited for when it was forgotten, or overwritten before it was answered, is counted once.
    names.forget(() => true)
    const first = names.write('n', large, 1)
    const second = names.write('n', 'y', 1)
    first.confirm()
    second.confirm()
    expect(names.bytes).toBe(1)
  })

  it('of masked values leaves out long ones', () => {
    let asked = 0
    const mask = (value: string): string => {
      asked++
      return value.slice(-1)
    }
    const masker = new RowMasker([{ kind: 'value', mask }])
    const rows = (value: string): void => {
      const row = message(0x44, int16(1), int32(value.length), Buffer.from(value))
      masker.rows(row, 0, row.length, new Sheet(16))
    }
    rows('short')
    rows('short')
    expect(asked).toBe(1)
    rows('l'.repeat(1_000))
    rows('l'.repeat(1_000))
    expect(asked).toBe(3)
  })
})

describe('a client with large statements', () => {
  let postgres: TestPostgres
  beforeAll(async () => {
    postgres = await startPostgres()
  })
  afterAll(async () => postgres?.close())

  const large = 'x'.repeat(1 << 20)
  const bind = (portal: string): Buffer =>
    message(
      frontend.bind,
      cstring(portal),
      cstring('s'),
      int16(0),
      int16(1),
      int32(large.length),
      Buffer.from(large),
      int16(0),
    )

  it('is told that it keeps too much', async () => {
    const door = await openDoor(postgres.target)
    const parts = Array.from({ length: 12 }, (_, i) => say.parse(`s${i}`, `select '${large}'`))
    await talk(door.port, [...parts, messages.sync])
    await expect(door.sessions[0]?.done).resolves.toMatchObject({
      reason: expect.stringContaining('more than 32 MiB in prepared statements'),
    })
    await door.close()
  })

  it('reads why a message is too long, and hears nothing of an end before it has said it', async () => {
    const door = await openDoor(postgres.target)
    const socket = connect({ port: door.port, host: '127.0.0.1', allowHalfOpen: true })
    let heard = ''
    let ended = false
    socket.on('end', () => {
      ended = true
    })
    const size = 80 << 20
    socket.write(Buffer.concat([say.startup, Buffer.from('D'), int32(size)]))
    await new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        heard += chunk.toString('latin1')
        if (heard.includes('the longest that is read is 64 MiB')) resolve()
      })
    })
    socket.write(Buffer.alloc(size - 5))
    await new Promise<void>((resolve) => void socket.write(Buffer.alloc(0), () => resolve()))
    expect(ended).toBe(false)
    socket.write(Buffer.alloc(1))
    await once(socket, 'end')
    socket.end()
    await door.sessions[0]?.done
    await door.close()
  })

  it('has portals of transactions that are over forgotten', async () => {
    const door = await openDoor(postgres.target)
    const parts = Array.from({ length: 40 }, (_, i) => [bind(`p${i}`), messages.sync]).flat()
    const heard = await talk(door.port, [
      say.parse('s', 'select length($1::text)'),
      messages.sync,
      ...parts,
      say.query('select 7'),
    ])
    expect(summary(heard).slice(-3)).toEqual(['D 7', 'C SELECT 1', 'Z I'])
    await door.close()
  })

  it('has cursors WITH HOLD after their transaction, and no others', async () => {
    const door = await openDoor(postgres.target)
    const client = await door.client()
    await client.query('begin')
    await client.query('declare kept cursor with hold for select email from customers where id = 1')
    await client.query('declare gone cursor for select email from customers where id = 1')
    await client.query('commit')
    expect((await client.query('fetch kept')).rows).toEqual([{ email: '***.com' }])
    await expect(client.query('fetch gone')).rejects.toMatchObject({ code: '34000' })
    await door.close()
  })
})
