import { call } from '@orpc/server'
import { expect, test } from 'vitest'
import type { Caller } from '../api/context.ts'
import { identitiesRouter } from './router.ts'

const caller = (id: string, ...groups: string[]): Caller => ({
  principal: { kind: 'user', id, name: id, groups },
  sourceIp: '127.0.0.1',
  mfa: false,
  signInEndsAt: '2026-01-14T10:00:00Z',
  tokenId: 't',
})

function start(operators: string[]) {
  const done: string[] = []
  const note = (what: string) => async (id: string, by: string) => {
    done.push(`${by} ${what} ${id}`)
    return id === 'ada'
  }
  const router = identitiesRouter({
    identities: { get: async () => undefined, list: async () => [], members: async () => [] },
    identity: { offboard: note('turns off'), reinstate: note('turns on') },
    operators,
  })
  return {
    done,
    disable: (who: Caller, id: string) => call(router.disable, { id }, { context: { caller: who } }),
    enable: (who: Caller, id: string) => call(router.enable, { id }, { context: { caller: who } }),
  }
}

test('an operator turns accounts off and on, and nobody else does', async () => {
  const { done, disable, enable } = start(['platform'])
  await expect(disable(caller('linus', 'engineers'), 'ada')).rejects.toThrow(/members of platform/)
  await expect(enable(caller('linus', 'engineers'), 'ada')).rejects.toThrow(/members of platform/)
  expect(done).toEqual([])
  await expect(disable(caller('olga', 'platform'), 'ada')).resolves.toEqual({ id: 'ada', disabled: true })
  await expect(enable(caller('olga', 'platform'), 'ada')).resolves.toEqual({ id: 'ada', disabled: false })
  expect(done).toEqual(['olga turns off ada', 'olga turns on ada'])
})

test('where no group is named, it is nobody', async () => {
  const { done, disable } = start([])
  await expect(disable(caller('olga', 'platform'), 'ada')).rejects.toThrow(/names no group under operators/)
  expect(done).toEqual([])
})

test('an operator keeps their own account, and is told of a name that is nobody’s', async () => {
  const { done, disable, enable } = start(['platform'])
  await expect(disable(caller('olga', 'platform'), 'olga')).rejects.toThrow(/your own account/)
  expect(done).toEqual([])
  await expect(disable(caller('olga', 'platform'), 'nosuch')).rejects.toThrow(/no person nosuch/)
  await expect(enable(caller('olga', 'platform'), 'nosuch')).rejects.toThrow(/no person nosuch/)
})
