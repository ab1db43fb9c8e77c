import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Principal } from '../../shared/principal.ts'
import { json } from '../store/database.ts'
import { quiet, startTestStore, type TestStore } from '../testing/store.ts'
import { Standing } from './standing.ts'

let server: TestStore
let standing: Standing
/** Who had to leave, and why. */
let left: Record<string, string>

beforeAll(async () => {
  server = await startTestStore()
})
afterAll(() => server.close())
beforeEach(async () => {
  await server.clear()
  await server.store.db.deleteFrom('oidc_payloads').execute()
  standing = new Standing({ db: server.store.db, log: quiet })
  left = {}
})

async function identity(id: string, groups: string[], kind: Principal['kind'] = 'user'): Promise<Principal> {
  const values = { name: id, groups: json(groups), disabled_at: null }
  await server.store.db
    .insertInto('identities')
    .values({ id, kind, issuer: kind === 'user' ? 'test' : null, subject: kind === 'user' ? id : null, ...values })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(values))
    .execute()
  return { kind, id, name: id, groups }
}

async function signIn(name: string, id: string, seconds = 3_600): Promise<void> {
  const expires_at = new Date(Date.now() + seconds * 1_000)
  const values = { model: 'Grant', id_hash: name, payload_sealed: Buffer.alloc(0), account_id: id, expires_at }
  await server.store.db
    .insertInto('oidc_payloads')
    .values(values)
    .onConflict((conflict) => conflict.columns(['model', 'id_hash']).doUpdateSet({ expires_at }))
    .execute()
}

async function revoke(name: string): Promise<void> {
  await server.store.db.deleteFrom('oidc_payloads').where('id_hash', '=', name).execute()
}

function enter(principal: Principal, signIn: string): () => void {
  return standing.enter({
    principal,
    signIn,
    leave: (reason) => {
      left[principal.id] = reason
    },
  })
}

test('whose account was turned off, and whose groups are others by now, leaves; the others stay', async () => {
  const [ada, grace, linus, joan] = [
    await identity('ada', ['engineers']),
    await identity('grace', ['dba']),
    await identity('linus', ['engineers', 'on-call']),
    await identity('joan', ['dba']),
  ]
  for (const principal of [ada, grace, linus, joan]) {
    await signIn(`of ${principal.id}`, principal.id)
    enter(principal, `of ${principal.id}`)
  }
  await standing.look()
  expect(left).toEqual({})
  await server.store.db.updateTable('identities').set({ disabled_at: new Date() }).where('id', '=', 'ada').execute()
  await identity('grace', ['interns'])
  await identity('linus', ['on-call', 'engineers'])
  await identity('joan', ['dba', 'contractors'])
  await standing.look()
  expect(Object.keys(left).sort()).toEqual(['ada', 'grace', 'joan'])
  expect(left.ada).toMatch(/turned off/)
  expect(left.grace).toMatch(/groups have changed/)
})

test('a sign-in that was taken back ends what it began, also where nobody was told of it', async () => {
  const ada = await identity('ada', [])
  await signIn('first', 'ada')
  await signIn('second', 'ada')
  enter(ada, 'first')
  await standing.look()
  await revoke('first')
  await standing.look()
  expect(left.ada).toMatch(/revoked/)
})

test('one whose time ran out ends it unless the person has signed in again', async () => {
  const [ada, grace] = [await identity('ada', []), await identity('grace', [])]
  for (const { id } of [ada, grace]) await signIn(`first of ${id}`, id)
  enter(ada, 'first of ada')
  enter(grace, 'first of grace')
  await standing.look()
  await signIn('second of ada', 'ada')
  for (const { id } of [ada, grace]) await signIn(`first of ${id}`, id, -1)
  await standing.look()
  for (const { id } of [ada, grace]) await revoke(`first of ${id}`)
  await standing.look()
  expect(left).toEqual({ grace: expect.stringMatching(/Sign in again/) })
})

test('a machine has no sign-in to look for, and who has left is not looked at', async () => {
  const robot = await identity('robot', ['ci'], 'machine')
  enter(robot, 'a token of ten minutes')
  const ada = await identity('ada', [])
  enter(ada, 'no sign-in')()
  await standing.look()
  expect(left).toEqual({})
})
