import { randomUUID } from 'node:crypto'
import { describe, expect, inject, test } from 'vitest'
import { call, type Role } from '../support/access.ts'
import { sallyport } from '../support/cli.ts'
import { startEndpoint } from '../support/endpoint.ts'
import { libpqEnv } from '../support/pg.ts'
import { run, which } from '../support/run.ts'
import { sshOptions } from '../support/ssh.ts'

/** `sallyport` as a job runs it: a machine identity in the environment, no login. */
const demo = inject('demo')

test('says who one is, and lists what one may open', async () => {
  expect((await sallyport(demo, 'engineer', ['whoami'])).stdout).toContain('demo-engineer')
  const ran = await sallyport(demo, 'engineer', ['ls', '--json'])
  const names = JSON.parse(ran.stdout).map((connection: { name: string }) => connection.name)
  expect(names).toEqual(expect.arrayContaining(['orders-db', 'analytics-db', 'web-1']))
  // A connection is listed only once its protocol can be opened.
  expect(names).not.toContain('orders-api')
})

test('an auditor sees no connection, a contractor no shell', async () => {
  expect(JSON.parse((await sallyport(demo, 'auditor', ['ls', '--json'])).stdout)).toEqual([])
  const names = JSON.parse((await sallyport(demo, 'contractor', ['ls', '--json'])).stdout).map(
    (connection: { name: string }) => connection.name,
  )
  expect(names).not.toContain('web-1')
})

describe('exit codes', () => {
  test('0 and the rows on stdout; decisions on stderr', async () => {
    const ran = await sallyport(demo, 'engineer', ['exec', 'orders-db'], {
      input: 'SELECT id, email FROM customers WHERE id = 42',
    })
    expect(ran.code).toBe(0)
    expect(ran.stdout).toContain('42')
    expect(ran.stdout).not.toMatch(/@\w+\.example/)
    expect(ran.stderr).toMatch(/masked/i)
  })

  test('3 where nobody is signed in', async () => {
    const ran = await run(process.execPath, ['cli/main.ts', 'ls'], {
      env: { SALLYPORT_HOME: `/tmp/sallyport-nobody-${randomUUID()}`, SALLYPORT_GATEWAY: demo.gateway },
    })
    expect(ran.code).toBe(3)
    expect(ran.stderr).toContain('sallyport login')
  })

  test('4 where policy blocks', async () => {
    const ran = await sallyport(demo, 'engineer', ['exec', 'analytics-db'], {
      input: "UPDATE orders SET status = 'void'",
    })
    expect(ran.code).toBe(4)
    expect(ran.stderr).toContain('no-unbounded-write')
  })

  test('2 for wrong usage, 1 for a connection that is not there', async () => {
    expect((await sallyport(demo, 'engineer', ['frobnicate'])).code).toBe(2)
    expect(await sallyport(demo, 'auditor', ['audit', 'verify', '--from', 'yesterday'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('2026-01-14T10:00:00Z'),
    })
    expect((await sallyport(demo, 'auditor', ['audit', 'tail', '-n', 'all'])).code).toBe(2)
    const refused = await sallyport(demo, 'engineer', ['offboard', 'ada'])
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('names no group under operators')])
    const ran = await sallyport(demo, 'engineer', ['exec', 'no-such-db'], { input: 'SELECT 1' })
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('no-such-db')
  })

  test('an SSH command keeps its own output', async () => {
    const ran = await sallyport(demo, 'engineer', ['exec', 'web-1'], { input: 'echo hello; head -1 README' })
    expect(ran).toMatchObject({ code: 0 })
    expect(ran.stdout).toContain('hello')
  })
})

describe('held until somebody else approves', () => {
  const statement = (tag: string) => `DELETE FROM audit_log WHERE actor = '${tag}'`

  async function pendingFor(text: string): Promise<string> {
    let id = ''
    await expect
      .poll(async () => {
        const { body } = await call(demo, 'dba', 'GET', '/requests?scope=review&state=pending')
        const found = Array.isArray(body) && body.find((request: { text?: string }) => request.text?.includes(text))
        if (found) id = String(found.id)
        return id
      })
      .not.toBe('')
    return id
  }

  test('runs once approved by the DBA; the requester cannot approve it', async () => {
    const tag = randomUUID()
    const waiting = sallyport(demo, 'oncall', ['exec', 'orders-db'], { input: statement(tag) })
    const id = await pendingFor(tag)
    const own = await sallyport(demo, 'oncall', ['approve', id])
    expect(own.code).not.toBe(0)
    expect((await sallyport(demo, 'dba', ['approve', id])).code).toBe(0)
    const ran = await waiting
    expect(ran.code).toBe(0)
    expect(ran.stderr).toMatch(/held/i)
  })

  test('denied, with the reason, and exit code 5', async () => {
    const tag = randomUUID()
    const waiting = sallyport(demo, 'oncall', ['exec', 'orders-db'], { input: statement(tag) })
    const id = await pendingFor(tag)
    expect((await sallyport(demo, 'dba', ['deny', id, '--reason', 'not during the freeze'])).code).toBe(0)
    const ran = await waiting
    expect(ran.code).toBe(5)
    expect(ran.stderr).toContain('not during the freeze')
  })

  test('a grant asked for, approved, used and revoked', async () => {
    // As an engineer: a deletion by whoever is on call is to be held, here and in other files.
    const asked = await sallyport(demo, 'engineer', [
      'request',
      'orders-db',
      '--for',
      '30m',
      '--reason',
      'INC-4821 clean-up',
      '--action',
      'sql:delete',
    ])
    const id = /req_[A-Za-z0-9]+|[0-9a-f-]{36}/.exec(asked.stdout + asked.stderr)?.[0] ?? ''
    expect(id).not.toBe('')
    expect((await sallyport(demo, 'dba', ['approve', id])).code).toBe(0)
    const ran = await sallyport(demo, 'engineer', ['exec', 'orders-db'], { input: statement(randomUUID()) })
    expect(ran.code).toBe(0)
    expect((await sallyport(demo, 'dba', ['revoke', id])).code).toBe(0)
  })
})

describe('policy explain', () => {
  const explain = (role: Role, ...more: string[]) =>
    sallyport(demo, role, ['policy', 'explain', 'orders-db', '--sql', 'SELECT email FROM customers', ...more])

  test('says for oneself what would be masked', async () => {
    const ran = await explain('engineer')
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringMatching(/sql:select: Allowed by [\s\S]*masked: email/) })
  })

  test('says for somebody else what they would get, to those who may review', async () => {
    const ran = await explain('dba', '--as', 'demo-auditor')
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('connect: Blocked by ') })
    const refused = await explain('engineer', '--as', 'demo-auditor')
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('may not review')
  })
})

describe('local endpoints', () => {
  test.skipIf(which('psql') === undefined)('psql goes through one without a password', async () => {
    const local = await startEndpoint(demo, 'engineer', 'orders-db')
    try {
      const ran = await run('psql', ['-XAt', '-c', 'SELECT id, email FROM customers WHERE id = 42'], {
        env: libpqEnv(local),
      })
      expect(ran.code).toBe(0)
      expect(ran.stdout).toMatch(/^42\|/)
      expect(ran.stdout).toContain('•')
    } finally {
      await local.close()
    }
  })

  test.skipIf(which('ssh') === undefined)('ssh and scp go through one', async () => {
    const local = await startEndpoint(demo, 'engineer', 'web-1')
    try {
      const ran = await run('ssh', [
        ...sshOptions,
        '-p',
        String(local.port),
        `${local.user}@${local.host}`,
        'head -c 3 README',
      ])
      expect(ran.stdout).toBe('web')
      const copied = await run('scp', [
        ...sshOptions,
        '-P',
        String(local.port),
        `${local.user}@${local.host}:README`,
        '/dev/null',
      ])
      expect(copied.code).toBe(0)
    } finally {
      await local.close()
    }
  })
})

describe('what was done', () => {
  test('is listed, can be replayed by the auditor, and verifies', async () => {
    const tag = randomUUID()
    await sallyport(demo, 'engineer', ['exec', 'orders-db'], {
      input: `SELECT /* ${tag} */ email FROM customers WHERE id = 42`,
    })
    const sessions = JSON.parse((await sallyport(demo, 'auditor', ['sessions', '--json'])).stdout)
    const candidates = sessions.filter(
      (session: { principal: { id: string }; connection: { name: string } }) =>
        session.principal.id === 'demo-engineer' && session.connection.name === 'orders-db',
    )
    // The last one first, unless another file opened one just then.
    let replayed = ''
    for (const { id } of candidates) {
      const ran = await sallyport(demo, 'auditor', ['replay', id])
      expect(ran.code).toBe(0)
      replayed = ran.stdout
      if (replayed.includes(tag)) break
    }
    expect(replayed).toContain(tag)
    expect(await sallyport(demo, 'auditor', ['audit', 'verify'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^ok: \d+ records, last [0-9a-f]{64}; [1-9]\d* recordings$/m),
    })
  })
})
