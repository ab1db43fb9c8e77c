import type { ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createBirpc } from 'birpc'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { PolicyFile } from '../../shared/link.ts'
import { allow } from '../testing/agent.ts'
import { startParts, type TestParts } from '../testing/parts.ts'
import { quiet, startTestStore, type TestStore } from '../testing/store.ts'
import { type GatewayCalls, handover, type WorkerCalls } from './calls.ts'
import { eachOf } from './gathered.ts'
import { WorkerPool } from './pool.ts'

/** The gateway's side of worker processes, against a peer that does what each test says. */
let server: TestStore
let parts: TestParts
let children: Peer[]

beforeAll(async () => {
  server = await startTestStore()
})
afterAll(() => server.close())
beforeEach(async () => {
  await server.clear()
  parts = await startParts(server)
  parts.agent.rule = () => allow
  children = []
})
afterEach(async () => {
  vi.useRealTimers()
  await parts.close()
})

/** A forked process as its parent sees it. */
class Peer extends EventEmitter {
  readonly pid = 4711
  connected = true
  readonly pushed: string[] = []
  readonly ended: string[] = []
  /** Connections that it was given. */
  given = 0
  /** Answers nothing any more. */
  deaf = false
  onPolicy: () => void = () => {}
  /** What it was told of changed definitions. */
  readonly changes: string[] = []
  onChange: (id: string) => Promise<void> | void = (id) => void this.changes.push(`${id} changes`)
  readonly gateway = createBirpc<GatewayCalls, WorkerCalls>(
    {
      start: ({ policy }) => {
        this.#took(policy)
        return Promise.resolve()
      },
      pushPolicy: (files) => {
        this.#took(files)
        return Promise.resolve({ ok: true, version: 'test' })
      },
      alive: () => {},
      standstill: () => {},
      end: (id) => void this.ended.push(id),
      setGrants: () => {},
      cancel: () => false,
      definitionsChanging: ({ id }) => this.onChange(id),
      definitionsChanged: (change) => void this.changes.push(`${change?.id ?? 'something'} changed`),
      stop: () => Promise.resolve(),
    },
    {
      post: (message) => queueMicrotask(() => void this.emit('message', [structuredClone(message)])),
      on: (take) => void this.on('to-worker', eachOf(take)),
      timeout: -1,
    },
  )

  #took(files: readonly PolicyFile[]): void {
    this.pushed.push(files.map(({ text }) => text).join())
    this.onPolicy()
  }

  send(message: unknown, ...rest: unknown[]): boolean {
    const told = rest.at(-1)
    if (message === handover) this.given++
    if (!this.deaf) queueMicrotask(() => void this.emit('to-worker', structuredClone(message)))
    if (typeof told === 'function') queueMicrotask(() => told(null))
    return true
  }

  kill(): boolean {
    this.die()
    return true
  }

  disconnect(): void {
    this.connected = false
    this.die()
  }

  die(): void {
    this.connected = false
    queueMicrotask(() => void this.emit('exit', null, 'SIGKILL'))
  }
}

function isChild(peer: unknown): peer is ChildProcess {
  return peer instanceof Peer
}

function fork(): ChildProcess {
  const peer = new Peer()
  children.push(peer)
  if (!isChild(peer)) throw new Error('unreachable')
  return peer
}

function peer(index: number): Peer {
  const child = children[index]
  if (child === undefined) throw new Error(`no process ${index}`)
  return child
}

const policy = (text: string): PolicyFile[] => [{ path: 'a.cedar', text }]
const deps = () => ({ ...parts, dataDir: server.dataDir, tls: undefined })

async function started(count = 1): Promise<WorkerPool> {
  const pool = new WorkerPool({ count, fork, log: quiet })
  await pool.start(deps())
  return pool
}

async function token(): Promise<string> {
  const { principal, tokenId } = await parts.person('ada', ['engineers'])
  const { secret } = await parts.tokens.issueToken({
    principal,
    connection: 'orders-db',
    accessTokenId: tokenId,
    mfa: true,
  })
  return secret
}

async function enter(child: Peer): Promise<string> {
  const typed = { user: 'ada', connection: 'orders-db', token: await token(), sourceIp: '127.0.0.1' }
  const entry = await child.gateway.enter(typed)
  if (!entry.ok) throw new Error(entry.message)
  const id = entry.session.spec.sessionId
  await child.gateway.taken(id)
  return id
}

test('a policy that comes into force while a worker starts is the one that it serves with', async () => {
  const pool = new WorkerPool({ count: 1, fork, log: quiet })
  const agent = pool.around(parts.agent)
  await agent.pushPolicy(policy('old'))
  peer(0).onPolicy = () => {
    peer(0).onPolicy = () => {}
    void agent.pushPolicy(policy('new'))
  }
  await pool.start(deps())
  expect(peer(0).pushed).toEqual(['old', 'new'])
  await pool.close()
})

test('a worker that does not answer to a policy is ended, and the policy is in force for everybody else', async () => {
  const pool = await started(2)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  peer(0).deaf = true
  const pushed = pool.around(parts.agent).pushPolicy(policy('new'))
  await vi.advanceTimersByTimeAsync(10_000)
  expect(await pushed).toMatchObject({ ok: true })
  expect(peer(0).connected).toBe(false)
  expect(peer(1).pushed.at(-1)).toBe('new')
  vi.useRealTimers()
  await expect.poll(() => children.length).toBe(3)
  await expect.poll(() => peer(2).pushed).toEqual(['new'])
  await pool.close()
})

test('a worker that hangs is found out, and another takes its place', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const pool = await started()
  await vi.advanceTimersByTimeAsync(30_000)
  expect(peer(0).connected).toBe(true)
  peer(0).deaf = true
  await vi.advanceTimersByTimeAsync(30_000)
  expect(peer(0).connected).toBe(false)
  await expect.poll(() => children.length).toBe(2)
  await pool.close()
})

test('a worker that dies: its sessions end once, take no orders, and make room at once', async () => {
  const pool = await started()
  const child = peer(0)
  const kept = await enter(child)
  const ending = await enter(child)
  await child.gateway.begun(kept, new Date())
  await child.gateway.begun(ending, new Date())
  const stored = child.gateway.ended(ending, { reason: 'The client left.', bytesIn: 1, bytesOut: 2 }, undefined)
  child.die()
  await expect.poll(() => children.length).toBe(2)
  // Any of these would reach a process that is gone; a rejection that nobody handles fails the run.
  parts.sessions.policyChanged()
  parts.sessions.grantsChanged('ada', 'orders-db')
  await parts.sessions.endFor({ principalId: 'ada' }, 'You signed out.')
  await expect.poll(() => parts.sessions.size).toBe(0)
  void stored
  const rows = await server.store.db.selectFrom('sessions').select(['id', 'end_reason']).execute()
  expect(new Map(rows.map(({ id, end_reason }) => [id, end_reason]))).toEqual(
    new Map([
      [kept, 'The process of the gateway that served this session stopped.'],
      [ending, 'The client left.'],
    ]),
  )
  const ends = (await parts.audit.list(0, 100)).filter(({ action }) => action === 'session.end')
  expect(ends.map(({ subject }) => subject).sort()).toEqual([kept, ending].sort())
  await pool.close()
})

test('connections go to whoever has fewest: one that is let in, and not said to have left the door, counts once', async () => {
  const pool = await started(2)
  const { address, close } = await pool.listen({ host: '127.0.0.1', port: 0 })
  const opened: Socket[] = []
  const open = async () => {
    opened.push(connect(Number(address.slice(address.lastIndexOf(':') + 1)), '127.0.0.1'))
    await expect.poll(() => peer(0).given + peer(1).given).toBe(opened.length)
  }
  await open()
  await enter(peer(0).given === 1 ? peer(0) : peer(1))
  for (let more = 0; more < 3; more++) await open()
  expect([peer(0).given, peer(1).given]).toEqual([2, 2])
  for (const socket of opened) socket.destroy()
  await close()
  await pool.close()
})

test('nobody is let in at a worker that died while they were looked at', async () => {
  const pool = await started()
  const child = peer(0)
  const typed = { user: 'ada', connection: 'orders-db', token: await token(), sourceIp: '127.0.0.1' }
  const checked = parts.tokens.checkToken.bind(parts.tokens)
  parts.tokens.checkToken = async (secret) => {
    const answer = await checked(secret)
    child.emit('exit', 1, null)
    return answer
  }
  void child.gateway.enter(typed).catch(() => undefined)
  await expect.poll(() => children.length).toBe(2)
  expect(parts.sessions.size).toBe(0)
  await pool.close()
})

test('a worker that dies before it is started: the gateway does not start, and says why', async () => {
  const pool = new WorkerPool({ count: 1, fork, log: quiet })
  peer(0).die()
  await expect(pool.start(deps())).rejects.toThrow(/stopped before it could serve \(SIGKILL\)/)
  await pool.close()
})

test('a process that can’t be forked is tried again', async () => {
  let failures = 2
  const pool = new WorkerPool({
    count: 1,
    fork: () => {
      if (children.length > 0 && failures-- > 0) throw new Error('EAGAIN')
      return fork()
    },
    log: quiet,
  })
  await pool.start(deps())
  peer(0).die()
  await expect.poll(() => children.length).toBe(2)
  await pool.close()
})

test('before definitions change, every other process knows; and when it is over, or its worker is', async () => {
  const pool = await started(2)
  const id = await enter(peer(0))
  const knows = Promise.withResolvers<void>()
  peer(1).onChange = (change) => {
    peer(1).changes.push(`${change} changes`)
    return knows.promise
  }
  let forwarded = false
  const told = peer(0)
    .gateway.changing(id)
    .then(() => {
      forwarded = true
    })
  await expect.poll(() => peer(1).changes).toEqual([`${id} changes`])
  expect(parts.agent.definitions).toEqual([`${id} changes`])
  expect(forwarded).toBe(false)
  knows.resolve()
  await told
  await peer(0).gateway.changed(id)
  expect(parts.agent.definitions.at(-1)).toBe(`${id} changed`)
  await expect.poll(() => peer(1).changes.at(-1)).toBe(`${id} changed`)
  expect(peer(0).changes).toEqual([])

  peer(1).onChange = (change) => void peer(1).changes.push(`${change} changes`)
  await peer(0).gateway.changing(id)
  peer(0).die()
  await expect.poll(() => peer(1).changes.slice(2)).toEqual([`${id} changes`, `${id} changed`])
  await pool.close()
})

test('a worker that dies is not waited for when definitions change; one that starts meanwhile knows of it', async () => {
  const pool = await started(2)
  const id = await enter(peer(0))
  peer(1).onChange = () => {
    peer(1).die()
    return new Promise(() => {})
  }
  await peer(0).gateway.changing(id)
  await expect.poll(() => children.length).toBe(3)
  await expect.poll(() => peer(2).changes).toEqual([`${id} changes`])
  await pool.close()
})

test('another replica hears of changed definitions, and reads all when it may have missed some', async () => {
  const elsewhere = await startParts(server, { replica: 'other' })
  const change = parts.connections.get('orders-db')
  if (change === undefined) throw new Error('there is no such connection')
  parts.definitions.changing({ sessionId: 'one', target: change.target })
  parts.definitions.changed('one')
  await expect.poll(() => elsewhere.agent.definitions).toEqual(['one changed'])
  expect(parts.agent.definitions).toEqual([])
  await elsewhere.close()
})
