import pg from 'pg'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { type Role, sessionToken } from '../support/access.ts'
import { tokenEnv } from '../support/pg.ts'
import { type Ran, run, which } from '../support/run.ts'

/** PostgreSQL's own programs at the native listener, as their users run them. */
const demo = inject('demo')
const needs = (program: string) => test.skipIf(which(program) === undefined)

/** What the masks must hide: real values, read from the target itself. */
let hidden: { email: string; phone: string; ssn: string; card_number: string }

beforeAll(async () => {
  const client = new pg.Client({ connectionString: demo.targets?.['orders-db'] })
  await client.connect()
  const result = await client.query('SELECT email, phone, ssn, card_number FROM customers WHERE id = 42')
  hidden = result.rows[0]
  await client.end()
})

async function psql(role: Role, connection: string, sql: string | readonly string[]): Promise<Ran> {
  const env = tokenEnv(await sessionToken(demo, role, connection))
  const commands = typeof sql === 'string' ? [sql] : sql
  return run(
    'psql',
    ['-XAt', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=verbose', ...commands.flatMap((command) => ['-c', command])],
    { env },
  )
}

function expectHidden(ran: Ran): void {
  for (const value of Object.values(hidden)) expect(ran.stdout + ran.stderr).not.toContain(value)
}

describe('psql', () => {
  needs('psql')('reads, with masked columns masked and the reason said', async () => {
    const ran = await psql(
      'engineer',
      'orders-db',
      'SELECT id, name, email, phone, ssn, card_number FROM customers WHERE id = 42',
    )
    expect(ran.code).toBe(0)
    expect(ran.stdout).toMatch(/^42\|/)
    expectHidden(ran)
    expect(ran.stderr).toContain('SPM01')
    expect(ran.stderr).toContain('email')
  })

  needs('psql')('hides in every shape a column can take', async () => {
    for (const sql of [
      'SELECT * FROM customers WHERE id = 42',
      'SELECT c FROM customers c WHERE id = 42',
      'SELECT row_to_json(c) FROM customers c WHERE id = 42',
      "SELECT email || '' FROM customers WHERE id = 42",
      'SELECT upper(ssn) FROM customers WHERE id = 42',
      'WITH x AS (SELECT email AS a FROM customers WHERE id = 42) SELECT a FROM x',
      'COPY customers TO STDOUT (FORMAT csv)',
      'SELECT max(email) FROM customers WHERE id = 42',
      "SELECT query_to_xml('SELECT email FROM customers WHERE id = 42', true, true, '')",
      'DO $$ BEGIN RAISE NOTICE $a$%$a$, (SELECT email FROM customers WHERE id = 42); END $$',
      'SELECT (SELECT array_agg(email) FROM customers WHERE id = 42)',
      'SELECT CAST(email AS int) FROM customers WHERE id = 42',
      'SELECT most_common_vals FROM pg_stats WHERE tablename = $$customers$$',
    ]) {
      expectHidden(await psql('engineer', 'orders-db', sql))
    }
  })

  needs('psql')('shows what is not sensitive exactly as the target has it', async () => {
    const ran = await psql('engineer', 'orders-db', 'SELECT count(*), min(id), max(id) FROM orders')
    expect(ran.stdout.trim()).toBe('200000|1|200000')
    expect(ran.stderr).toBe('')
  })

  needs('psql')('is stopped at an UPDATE without WHERE, and nothing runs', async () => {
    const before = await psql('engineer', 'analytics-db', "SELECT count(*) FROM orders WHERE status = 'void'")
    const ran = await psql('engineer', 'analytics-db', "UPDATE orders SET status = 'void'")
    expect(ran.code).not.toBe(0)
    expect(ran.stderr).toContain('SPB01')
    expect(ran.stderr).toContain('no-unbounded-write')
    expect(ran.stderr).toContain('HINT')
    expect((await psql('engineer', 'analytics-db', "SELECT count(*) FROM orders WHERE status = 'void'")).stdout).toBe(
      before.stdout,
    )
  })

  needs('psql')('blocks DDL by contractors', async () => {
    const ran = await psql('contractor', 'analytics-db', 'CREATE TABLE contractors_were_here (id int)')
    expect(ran.code).not.toBe(0)
    expect(ran.stderr).toContain('SPB01')
  })

  needs('psql')('writes in staging, in a transaction, and describes tables', async () => {
    const ran = await psql('engineer', 'analytics-db', [
      'BEGIN',
      "UPDATE orders SET status = 'pending' WHERE id = 1",
      'ROLLBACK',
      '\\d orders',
    ])
    expect(ran.stderr).toBe('')
    expect(ran.code).toBe(0)
    expect(ran.stdout).toContain('UPDATE 1')
    expect(ran.stdout).toContain('customer_id')
  })

  needs('psql')('tells a wrong token what to do', async () => {
    const token = await sessionToken(demo, 'engineer', 'orders-db')
    const ran = await run('psql', ['-XAt', '-c', 'SELECT 1'], { env: { ...tokenEnv(token), PGPASSWORD: 'wrong' } })
    expect(ran.code).not.toBe(0)
    expect(ran.stderr).toContain('sallyport token')
  })

  needs('psql')('does not let a token into another connection', async () => {
    const token = await sessionToken(demo, 'engineer', 'orders-db')
    const ran = await run('psql', ['-XAt', '-c', 'SELECT 1'], {
      env: { ...tokenEnv(token), PGDATABASE: 'analytics-db' },
    })
    expect(ran.code).not.toBe(0)
  })
})

test('an auditor gets no token at all', async () => {
  await expect(sessionToken(demo, 'auditor', 'orders-db')).rejects.toThrow()
})

describe('pgbench', () => {
  needs('pgbench')('initialises and runs in staging, in every protocol mode', async () => {
    const env = async () => tokenEnv(await sessionToken(demo, 'engineer', 'analytics-db'))
    const made = await run('pgbench', ['-i', '-q', '-s', '1'], { env: await env() })
    expect(made.stderr).toContain('done')
    expect(made.code).toBe(0)
    for (const mode of ['simple', 'extended', 'prepared']) {
      const ran = await run('pgbench', ['-n', '-M', mode, '-c', '4', '-j', '2', '-t', '50'], { env: await env() })
      expect(ran.stderr).not.toContain('ERROR')
      expect(ran.stdout).toContain('number of transactions actually processed: 200/200')
    }
  })
})

describe('pg_dump', () => {
  needs('pg_dump')('gives the DBA a whole dump in which masked columns are masked', async () => {
    const env = tokenEnv(await sessionToken(demo, 'dba', 'orders-db'))
    const ran = await run('pg_dump', [], { env })
    expect(ran.code).toBe(0)
    expectHidden(ran)
    expect(ran.stdout).toContain('COPY public.customers')
    expect(ran.stdout.match(/\n42\t[^\n]+/)?.[0]).toBeDefined()
  })
})
