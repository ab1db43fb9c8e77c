import { createHash } from 'node:crypto'
import { chown, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { backend, cstring, int32, message, messages } from '../messages.ts'
import { dialTarget, openDoor } from '../testing/door.ts'
import { startPostgres, type TestPostgres } from '../testing/postgres.ts'
import { certificate, key, startTlsFront } from '../testing/tls-front.ts'
import { readOptions } from './options.ts'
import { SaltedPasswords, scram } from './scram.ts'
import { signIn } from './signin.ts'
import { targetParameters } from './startup.ts'
import type { PostgresTarget } from './tls.ts'

describe('SCRAM-SHA-256', () => {
  // The exchange of RFC 7677, section 3, with PostgreSQL's empty name.
  const nonce = 'rOprNGfwEbeRWgbNEkqO'
  const challenge = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'

  it('proves the password and checks the server', async () => {
    const client = scram('pencil', new SaltedPasswords(), { nonce })
    expect(client.first).toBe(`n,,n=,r=${nonce}`)
    expect(await client.answer(challenge)).toMatch(
      /^c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj\)hNlF\$k0,p=[\w+/]{43}=$/,
    )
    expect(() => client.verify('v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=')).toThrow('could not prove')
    expect(() => client.verify('v=')).toThrow('could not prove')
    expect(() => client.verify('e=other-error')).toThrow('other-error')
  })

  it.each([
    ['r=someone-elses-nonce,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096', 'does not continue ours'],
    [`r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`, 'does not continue ours'],
    [`r=${nonce}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1`, 'iterations'],
    [`r=${nonce}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=2000000000`, 'iterations'],
    [`r=${nonce}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=-5`, 'malformed'],
    [`r=${nonce}x,s=W22Z,i=4096`, 'too short'],
    [`r=${nonce}x,s=,i=4096`, 'malformed'],
    [`m=ext,r=${nonce}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`, 'malformed'],
    ['', 'malformed'],
  ])('refuses %s', async (serverFirst, reason) => {
    await expect(scram('pencil', new SaltedPasswords(), { nonce }).answer(serverFirst)).rejects.toThrow(reason)
  })
})

describe('start-up parameters', () => {
  const target = { user: 'app', database: 'orders' }
  const ask = (parameters: Record<string, string>) => targetParameters(new Map(Object.entries(parameters)), target)

  it('signs in as the connection says, with the settings of the client', () => {
    const given = ask({
      user: 'ada',
      database: 'orders-db',
      TimeZone: 'UTC',
      options: '-c search_path=a,b --work-mem=1MB',
    })
    expect(given.ok && Object.fromEntries(given.parameters)).toEqual({
      user: 'app',
      database: 'orders',
      TimeZone: 'UTC',
      search_path: 'a,b',
      work_mem: '1MB',
    })
  })

  it('takes options apart as PostgreSQL does, and what has a parameter of its own wins', () => {
    expect(readOptions('-c a=b\\ c -cd=e --f-g=h -eF -fs -t pa -d3 -S 64')).toEqual([
      ['a', 'b c'],
      ['d', 'e'],
      ['f_g', 'h'],
      ['datestyle', 'euro'],
      ['fsync', 'false'],
      ['enable_seqscan', 'false'],
      ['log_parser_stats', 'true'],
      ['log_min_messages', 'debug3'],
      ['log_statement', 'all'],
      ['debug_print_parse', 'true'],
      ['work_mem', '64'],
    ])
    for (const wrong of ['-c', '-c a', 'word', '-z', '-fx', '-', '--name']) expect(readOptions(wrong)).toBeUndefined()
    const asked = ask({ options: '-c application_name=a -c WORK_MEM=1MB', application_name: 'b', work_mem: '2MB' })
    expect(asked.ok && Object.fromEntries(asked.parameters)).toEqual({
      user: 'app',
      database: 'orders',
      application_name: 'b',
      work_mem: '2MB',
    })
  })

  it('never lets a setting pass for who signs in, and leaves it to policy who it becomes', () => {
    for (const [asked, read] of [
      ['database', 'database'],
      ['on', 'physical'],
      ['T', 'physical'],
      ['off', 'none'],
      ['no', 'none'],
    ]) {
      expect(ask({ replication: asked ?? '' })).toMatchObject({ ok: true, replication: read })
    }
    for (const asked of ['', 'o', '2', 'logical']) expect(ask({ replication: asked })).toMatchObject({ ok: false })
    for (const name of ['user', 'database', 'replication', 'USER', '_pq_.x']) {
      expect(ask({ options: `-c ${name}=x` })).toMatchObject({ ok: false, sqlstate: '42704' })
    }
    expect(ask({ options: '-W' })).toMatchObject({ ok: false, sqlstate: '42601' })
    expect(ask({ role: 'none' })).toMatchObject({ ok: true, becomes: [] })
    expect(ask({ options: "-c session_authorization=o'b", ROLE: 'c\\d' })).toMatchObject({
      ok: true,
      becomes: ["SET session_authorization TO 'o''b'", "SET role TO E'c\\\\d'"],
    })
  })
})

describe('sign-in at a real target', () => {
  let postgres: TestPostgres
  beforeAll(async () => {
    postgres = await startPostgres()
  })
  afterAll(async () => postgres?.close())

  it.each(['app', 'legacy', 'plain', 'open'])('lets %s in', async (user) => {
    const door = await openDoor({ ...postgres.target, user })
    try {
      const client = await door.client()
      expect((await client.query('select current_user::text as me')).rows).toEqual([{ me: user }])
    } finally {
      await door.close()
    }
  })

  it('says that the credentials were refused, and not whose they are', async () => {
    const door = await openDoor({ ...postgres.target, password: 'wrong' })
    try {
      const failed = await door.client().catch((error: unknown) => error)
      expect(failed).toMatchObject({ code: expect.stringMatching(/^28/) })
      expect(String(failed)).not.toContain('app')
    } finally {
      await door.close()
    }
  })

  it('says all that the target says of a setting that it does not take', async () => {
    const door = await openDoor(postgres.target)
    try {
      const failed = await door.client({ options: '-c search_path=a\\ b' }).catch((error: unknown) => error)
      expect(failed).toMatchObject({ code: '22023', detail: 'List syntax is invalid.' })
      expect(String(failed)).toContain('invalid value for parameter "search_path": "a b"')
    } finally {
      await door.close()
    }
  })

  it('speaks TLS to the target, and verifies it where that is asked', async () => {
    const front = await startTlsFront(postgres.target)
    const at = (tls: PostgresTarget['tls']): PostgresTarget => ({ ...postgres.target, port: front.port, tls })
    const named = { mode: 'verify-full', servername: 'target.test' } as const
    const outcomes: string[] = []
    for (const tls of [
      { mode: 'require' } as const,
      { ...named, ca: certificate },
      { ...named, servername: 'other.test', ca: certificate },
      named,
    ]) {
      const door = await openDoor(at(tls))
      const outcome = await door.client().then(
        async (client) => {
          await client.query('select ssn from customers where id = 1')
          return 'in'
        },
        (error: unknown) => String(error),
      )
      outcomes.push(outcome)
      await door.close()
    }
    await front.close()
    expect(outcomes).toEqual(['in', 'in', expect.stringContaining('altnames'), expect.stringContaining('self-signed')])
  })

  it('takes nothing that was said before TLS', async () => {
    const front = await startTlsFront(postgres.target, Buffer.from('R\0\0\0\x08\0\0\0\0'))
    const door = await openDoor({ ...postgres.target, port: front.port, tls: { mode: 'require' } })
    await expect(door.client()).rejects.toThrow('before TLS')
    await door.close()
    await front.close()
  })

  it('refuses a target without TLS when the connection requires it', async () => {
    const door = await openDoor({ ...postgres.target, tls: { mode: 'require' } })
    try {
      await expect(door.client()).rejects.toThrow(/TLS|SSL/)
    } finally {
      await door.close()
    }
  })
})

describe('a target with TLS of its own', () => {
  let server: TestPostgres

  beforeAll(async () => {
    server = await startPostgres()
    const data = String((await server.direct('show data_directory')).rows[0]?.data_directory)
    const { uid, gid } = await stat(data)
    for (const [name, text] of [
      ['server.crt', certificate],
      ['server.key', key],
      [
        'pg_hba.conf',
        'hostssl all "target.test" all cert\nhostssl all all all scram-sha-256\nhost all postgres all trust\n',
      ],
    ] as const) {
      await writeFile(join(data, name), text, { mode: 0o600 })
      await chown(join(data, name), uid, gid)
    }
    await server.direct('create role "target.test" login')
    for (const setting of ["ssl_ca_file = 'server.crt'", 'ssl = on']) await server.direct(`alter system set ${setting}`)
    await server.direct('select pg_reload_conf()')
  })
  afterAll(async () => server?.close())

  const tls = { mode: 'verify-full', ca: certificate, servername: 'target.test' } as const
  const whoAmI = async (target: PostgresTarget): Promise<unknown> => {
    const door = await openDoor(target)
    door.people.masked = new Set()
    try {
      const client = await door.client()
      const { rows } = await client.query('select user, ssl from pg_stat_ssl where pid = pg_backend_pid()')
      return rows[0]
    } finally {
      await door.close()
    }
  }

  it('is signed in to with SCRAM-SHA-256-PLUS: it refuses who could bind to it and did not', async () => {
    expect(await whoAmI({ ...server.target, tls })).toEqual({ user: 'app', ssl: true })
    const binding = { kind: 'bound', data: createHash('sha256').update('another certificate').digest() } as const
    const bound = scram('pencil', new SaltedPasswords(), { nonce: 'abc', binding })
    expect(bound.first).toBe('p=tls-server-end-point,,n=,r=abc')
    expect(await bound.answer('r=abcd,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096')).toContain(
      `c=${Buffer.concat([Buffer.from('p=tls-server-end-point,,'), binding.data]).toString('base64')},`,
    )
  })

  it('takes a client certificate in place of a password', async () => {
    const certified = { ...tls, cert: certificate, key }
    expect(await whoAmI({ ...server.target, user: 'target.test', password: '', tls: certified })).toEqual({
      user: 'target.test',
      ssl: true,
    })
    await expect(whoAmI({ ...server.target, user: 'target.test', password: '', tls })).rejects.toThrow(
      /certificate|refused/,
    )
  })
})

describe('a hostile target', () => {
  let server: Server | undefined
  afterEach(() => void server?.close())

  async function against(answer: (socket: Socket) => void): Promise<unknown> {
    server = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => answer(socket))
    })
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = address !== null && typeof address === 'object' ? address.port : 0
    const target: PostgresTarget = {
      kind: 'postgres',
      host: '127.0.0.1',
      port,
      database: 'd',
      user: 'u',
      password: 'p',
      tls: { mode: 'disable' },
    }
    const stream = await dialTarget(target)
    const outcome = await signIn(stream, target, new Map(), new SaltedPasswords(), AbortSignal.timeout(500)).catch(
      (error: unknown) => error,
    )
    stream.destroy()
    return outcome
  }

  const auth = (kind: number, body: Buffer = Buffer.alloc(0)): Buffer =>
    message(backend.authentication, int32(kind), body)

  it.each<[string, Buffer[], string]>([
    ['never answers', [], 'in time'],
    ['claims a length of 2 GiB', [Buffer.from([0x52, 0x7f, 0xff, 0xff, 0xff])], 'sign-in message'],
    ['is ready before sign-in', [messages.readyForQuery(0x49)], 'no place before sign-in'],
    ['asks for a password twice', [auth(3), auth(3)], 'out of order'],
    ['asks for what nobody speaks', [auth(7)], 'not spoken here'],
    ['sends an md5 salt of three bytes', [auth(5, Buffer.alloc(3))], 'salt'],
    ['continues SCRAM that never began', [auth(11, Buffer.from('r=x'))], 'out of order'],
    [
      'skips the proof',
      [auth(10, Buffer.concat([cstring('SCRAM-SHA-256'), Buffer.from([0])])), auth(0)],
      'without proving',
    ],
    ['talks on', [auth(0), messages.readyForQuery(0x49), messages.readyForQuery(0x49)], 'nobody asked for'],
  ])('that %s is left with a reason', async (_, answers, reason) => {
    const outcome = await against((socket) => void socket.write(Buffer.concat(answers)))
    expect(outcome).toBeInstanceOf(Error)
    expect(String(outcome)).toContain(reason)
  })

  it('that sends notices without end is left', async () => {
    const notice = message(backend.notice, Buffer.from('SNOTICE\0\0'))
    const outcome = await against(
      (socket) => void socket.write(Buffer.concat(Array.from({ length: 2000 }, () => notice))),
    )
    expect(String(outcome)).toContain('without end')
  })
})
