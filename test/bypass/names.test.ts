import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cstring, frontend, int16, message, messages } from '../../agent/inspect/postgres/messages.ts'
import { type Door, openDoor } from '../../agent/inspect/postgres/testing/door.ts'
import { startPostgres, type TestPostgres } from '../../agent/inspect/postgres/testing/postgres.ts'
import type { Answer } from '../support/raw-postgres.ts'
import { enter } from './enter.ts'

/**
 * Two names that are one at the target, or one name that is two there: what is bound is judged by a text that does not run.
 * `harmless` shows nothing; `harmful` may be prepared, and shows e-mail addresses where nobody masks its result.
 */
const harmless = 'select null::text as x'
const harmful = 'select lower(email) as x from customers'
const none = Buffer.alloc(0)

let postgres: TestPostgres
let door: Door

beforeAll(async () => {
  postgres = await startPostgres()
  door = await openDoor(postgres.target)
})
afterAll(async () => {
  await door?.close()
  await postgres?.close()
})

const zero = Buffer.from([0])
const parse = (name: Buffer, sql: string): Buffer => message(frontend.parse, name, zero, cstring(sql), int16(0))
const bind = (portal: Buffer, statement: Buffer): Buffer =>
  message(frontend.bind, portal, zero, statement, zero, int16(0), int16(0), int16(0))
const close = (kind: 'S' | 'P', name: Buffer): Buffer => message(frontend.close, Buffer.from(kind), name, zero)
const execute = (portal: Buffer): Buffer => message(frontend.execute, portal, zero, Buffer.alloc(4))

function shows({ bytes }: Answer): boolean {
  return bytes.includes('@example.com')
}

describe('names of statements and portals', () => {
  const long = 'n'.repeat(63)

  it('that are one behind their 63rd byte', async () => {
    const client = await enter(door, { client_encoding: 'UTF8' })
    const [x, y] = [Buffer.from(`${long}x`), Buffer.from(`${long}y`)]
    await client.send([parse(x, harmless), messages.sync])
    await client.send([close('S', y), messages.sync])
    await client.send([parse(y, harmful), messages.sync])
    const answer = await client.send([bind(none, x), execute(none), messages.sync])
    expect(shows(answer)).toBe(false)
    client.close()
  })

  it('of portals that are one behind their 63rd byte', async () => {
    const client = await enter(door, { client_encoding: 'UTF8' })
    const [x, y] = [Buffer.from(`${long}x`), Buffer.from(`${long}y`)]
    await client.send([parse(Buffer.from('a'), harmless), parse(Buffer.from('b'), harmful), messages.sync])
    const answer = await client.send([
      bind(x, Buffer.from('a')),
      close('P', y),
      bind(y, Buffer.from('b')),
      execute(x),
      messages.sync,
    ])
    expect(shows(answer)).toBe(false)
    client.close()
  })

  it('whose letters are no UTF-8', async () => {
    const client = await enter(door, { client_encoding: 'LATIN1' })
    await client.query("set client_encoding to 'UTF8'")
    await client.send([parse(Buffer.from('ä'), harmful), messages.sync])
    await client.query("set client_encoding to 'LATIN1'")
    await client.send([parse(Buffer.of(0xe5), harmless), messages.sync])
    const answer = await client.send([bind(none, Buffer.of(0xe4)), execute(none), messages.sync])
    expect(shows(answer)).toBe(false)
    client.close()
  })

  it('read by an encoding that is on its way', async () => {
    const client = await enter(door, { client_encoding: 'UTF8' })
    await client.send([parse(Buffer.from('ä'), harmless), parse(Buffer.from('Ã¤'), harmful), messages.sync])
    const answer = await client.send([
      parse(none, "set client_encoding to 'LATIN1'"),
      bind(none, none),
      execute(none),
      bind(none, Buffer.from('ä')),
      execute(none),
      messages.sync,
    ])
    expect(shows(answer)).toBe(false)
    client.close()
  })

  it('in an encoding that has them all', async () => {
    const client = await enter(door, { client_encoding: 'LATIN1' })
    const name = Buffer.from('é', 'latin1')
    await client.send([parse(name, "select 'é'::text as x"), messages.sync])
    const answer = await client.send([bind(none, name), execute(none), messages.sync])
    expect(answer.rows).toBe(1)
    client.close()
  })
})
