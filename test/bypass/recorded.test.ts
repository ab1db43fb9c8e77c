import { describe, expect, test } from 'vitest'
import { cstring, frontend, int16, int32, message, messages } from '../../agent/inspect/postgres/messages.ts'
import { hold } from '../../agent/inspect/postgres/testing/door.ts'
import { execute } from '../support/raw-postgres.ts'
import { stand } from './enter.ts'

/**
 * What is typed for a masked column is as much its value as what is read from it. The record, and people who are asked, may be
 * read by those who see less than whoever runs a statement: here nothing is masked for that person, and all is stored masked.
 */
const at = stand({
  prepare: `
    create table customers_2024 (check (id > 100)) inherits (customers);
    create table remarks (id bigint, address text, note text);
    create view cards as select id, email as address from customers;
    create function bare(text) returns text language sql as $$ select $1 $$;
  `,
  opened: ({ people }) => {
    const masked = people.sensitivity.bind(people)
    people.sensitivity = () => undefined
    people.classOf = (schema, table, column) => masked(schema, table, column)?.dataClass
  },
})

/** No detector finds it. */
const secret = 'Qx7Secret'

async function recorded(run: () => Promise<unknown>): Promise<{ text: string; all: string }> {
  const { people } = at.door
  people.events.length = 0
  await run()
  const texts = people.events.flatMap((event) => (event.type === 'request' ? [event.text] : []))
  return { text: texts.join('\n'), all: JSON.stringify(people.events) }
}

const query = (sql: string) => recorded(() => at.client.query(sql))

describe('on the record', () => {
  test.each([
    `select 1 from customers where email = '${secret}'`,
    `update customers set email = '${secret}' where id = -1`,
    `update customers set email = E'\\x51x7' || $$Secret$$ where id = -1`,
    `update customers_2024 set email = '${secret}' where id = -1`,
    `update cards set address = '${secret}' where id = -1`,
    `update cards set address = n.note from remarks n where cards.address = '${secret}' and n.address = 'x'`,
    `insert into customers (id, email) values (-1, '${secret}')`,
    `insert into customers select -1, 'n', '${secret}'`,
    `select 1 from (select email as address from customers) s, remarks n where s.address = '${secret}' and n.address = 'x'`,
    `prepare p1 as update customers set email = '${secret}' where id = -1`,
    `prepare p2 (text) as update customers set email = $1 where id = -1; execute p2('${secret}')`,
    `declare c cursor with hold for select 1 from customers where email = '${secret}'`,
    `explain select 1 from customers where email = '${secret}'`,
    `do $$ begin update customers set email = '${secret}' where id = -1; end $$`,
    `with x as (update customers set email = '${secret}' where id = -1 returning 1) select * from x`,
    `select email, unknown_function('${secret}') from customers`,
    `select email::int from (select '${secret}' || email as email from customers) s`,
    `merge into customers c using remarks n on c.email = '${secret}' when matched then update set email = '${secret}'`,
    // Passwords, in words that no detector knows.
    `create role r1 password E'${secret}'`,
    `create role r2 with password
      '${secret}'`,
    `alter role postgres encrypted password $$${secret}$$`,
    `alter role nobody_here password /* is */ '${secret}'`,
    `create server s1 foreign data wrapper nothing options (key '${secret}')`,
    `create user mapping for current_user server s1 options (key '${secret}')`,
    `create subscription s connection 'host=h pass=${secret}' publication p`,
    `select set_config('my.password', '${secret}', false)`,
    `set my.api_token = E'${secret}'`,
  ])('nothing is left of %s', async (sql) => {
    const { text, all } = await query(sql)
    expect(all).not.toMatch(/secret/i)
    // The statement itself is there.
    expect(text).toContain(sql.slice(0, 6))
  })

  test('what can be no value of a masked column stays', async () => {
    const sql = `update customers set email = '${secret}', name = 'Ann' where id = -7 /* INC-1 */`
    expect((await query(sql)).text).toBe("update customers set email = '•••', name = 'Ann' where id = -7 /* INC-1 */")
    const other = "insert into remarks (id, note) values (7, 'seen')"
    expect((await query(other)).text).toBe(other)
    const again = `update customers set email = '${secret}', name = 'Bob' where id = -8`
    expect((await query(again)).text).toBe("update customers set email = '•••', name = 'Bob' where id = -8")
  })

  test('parameters neither, in either format', async () => {
    for (const format of [0, 1]) {
      const { text, all } = await recorded(() =>
        at.client.send([
          messages.parse('', 'update customers set email = $1, name = $2 where id = -1'),
          message(
            frontend.bind,
            cstring(''),
            cstring(''),
            int16(1),
            int16(format),
            int16(2),
            int32(secret.length),
            Buffer.from(secret),
            int32(3),
            Buffer.from('Ann'),
            int16(0),
          ),
          execute(''),
          messages.sync,
        ]),
      )
      expect(all).not.toContain(secret)
      expect(all).not.toContain(Buffer.from(secret).toString('hex'))
      expect(text).toContain(format === 0 ? "$1 = '•••', $2 = 'Ann'" : "$1 = '•••', $2 = \\x416e6e")
    }
  })

  test('what is found by its look is masked in binary too', async () => {
    const value = '123-45-6789'
    const { all } = await recorded(() =>
      at.client.send([
        messages.parse('', 'insert into remarks (note) values ($1)'),
        message(
          frontend.bind,
          cstring(''),
          cstring(''),
          int16(1),
          int16(1),
          int16(1),
          int32(value.length),
          Buffer.from(value),
          int16(0),
        ),
        execute(''),
        messages.sync,
      ]),
    )
    expect(all).toContain('insert into remarks')
    expect(all).not.toContain(Buffer.from(value).toString('hex'))
  })

  test('nor what an error quotes', async () => {
    const answer = await at.client.query('select email::int from customers where id = 1')
    expect(answer.errors[0]?.message).toContain('example.com')
    const { all } = await query('select email::int from customers where id = 1')
    expect(all).toContain('22P02')
    expect(all).not.toContain('example.com')
  })
})

describe('who is asked', () => {
  const asked = async (sql: string) => {
    const { people } = at.door
    people.rule = hold('sql:update', 'sql:insert', 'sql:role')
    people.holds.length = 0
    const held = people.nextHold()
    const done = at.client.query(sql)
    await held
    people.holds[0]?.settle({ kind: 'denied', by: 'grace', reason: 'no' })
    await done
    const { hiddenClasses, redacted } = people.holds[0]?.request ?? {}
    return { hiddenClasses, redacted }
  }

  test.each([
    [`update customers_2024 set email = '${secret}' where id = 1`],
    [`update cards set address = '${secret}' where id = 1`],
    [`update cards set address = n.note from remarks n where cards.address = '${secret}' and n.address = 'x'`],
  ])('is told that there is something to hide, and does not read it, in %s', async (sql) => {
    const { hiddenClasses, redacted } = await asked(sql)
    expect(hiddenClasses).toEqual(['pii'])
    expect(redacted).toContain('update')
    expect(redacted).not.toContain(secret)
  })

  test('reads no value that a detector finds, whoever else may see it', async () => {
    const { hiddenClasses, redacted } = await asked("update remarks set note = 'is 123-45-6789' where id = 1")
    expect(hiddenClasses).toEqual(['pii'])
    expect(redacted).toBe("update remarks set note = 'is ***' where id = 1")
  })

  test('reads no password', async () => {
    const { hiddenClasses, redacted } = await asked(`create role r9 login password E'${secret}'`)
    expect(hiddenClasses).toHaveLength(1)
    expect(redacted).toBe("create role r9 login password '•••'")
  })
})
