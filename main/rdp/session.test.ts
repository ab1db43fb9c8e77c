import { once } from 'node:events'
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex, duplexPair } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Annotation } from '../../shared/annotation.ts'
import type { DesktopState } from '../../shared/rpc/desktop.ts'
import type { GatewaySession } from '../gateway/session.ts'
import { fail } from '../problem.ts'
import { connectionRequest } from '../testing/rdp.ts'
import { readEntry } from './entry.ts'
import type { InstalledProgram } from './programs.ts'
import { DesktopSession } from './session.ts'

/** A native program: reads the file and the password as FreeRDP does, connects, says both, and shows what it is told. */
const script = `#!${process.execPath}
const { readFileSync } = require('node:fs')
const { connect } = require('node:net')
const text = readFileSync(process.argv[2], 'utf8')
const value = (name) => new RegExp(name + ':s:(.*)').exec(text)[1].trim()
const password = readFileSync(0, 'utf8').trim()
if (process.env.PROGRAM_FAILS) { console.error('[12:00:00:000] [1:2] [ERROR][com.freerdp] - no display'); process.exit(3) }
const [host, port] = value('full address').split(':')
const socket = connect(Number(port), host)
const request = Buffer.from('REQUEST', 'hex')
socket.write(Buffer.concat([request, Buffer.from(password)]))
socket.resume()
socket.on('close', () => process.exit(0))
`

let dir: string
let program: InstalledProgram
let far: Duplex
let tunnel: Duplex
let say: (annotation: Annotation) => void
let opened: number
let desktop: DesktopSession
const rdp = { certificate: 'AA:BB', username: 'k3v9q2xwa', password: 'one-time' }

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sallyport-desktop-'))
  const path = join(dir, 'program')
  await writeFile(path, script.replace('REQUEST', connectionRequest(rdp.username).toString('hex')))
  await chmod(path, 0o755)
  program = { id: 'xfreerdp', name: 'FreeRDP', path }
  opened = 0
  desktop = make({})
})

afterEach(async () => {
  desktop.end()
  await rm(dir, { recursive: true, force: true })
})

function make(env: NodeJS.ProcessEnv, programs: readonly InstalledProgram[] = [program]): DesktopSession {
  return new DesktopSession({
    connection: { name: 'desk-1', actions: [] },
    programs,
    program: programs[0],
    open: async (said): Promise<GatewaySession> => {
      const [near, other] = duplexPair()
      far = other
      tunnel = near
      say = said
      opened += 1
      return { stream: near, sessionId: `s${opened}`, hostKey: undefined, rdp }
    },
    dataDir: dir,
    platform: 'linux',
    env: { PATH: '', ...env },
    warn: () => {},
  })
}

async function until(state: DesktopState['phase']['state']): Promise<DesktopState> {
  for await (const now of desktop.state.watch(AbortSignal.timeout(10_000))) if (now.phase.state === state) return now
  throw new Error(`never ${state}: ${JSON.stringify(desktop.state.get().phase)}`)
}

const left = (): Promise<string[]> => readdir(join(dir, 'desktops')).catch(() => [])
const allowed: Annotation = { kind: 'allowed' }

/** What comes out of the tunnel at the gateway's end, until the password has come. */
async function received(): Promise<Buffer> {
  let bytes = Buffer.alloc(0)
  for await (const chunk of far) {
    bytes = Buffer.concat([bytes, chunk])
    if (bytes.includes(rdp.password)) return bytes
  }
  throw new Error('the tunnel ended')
}

test('starts the program, hands it over to the gateway, and removes what it wrote', async () => {
  const done = desktop.launch()
  await until('opening')
  expect(await left()).toEqual([])
  say(allowed)
  await done
  const policy = { id: 'desk-no-drives', reason: 'Drives stay there.' }
  for (const command of ['rdp:drive', 'rdp:printer']) {
    say({ kind: 'blocked', policy, message: 'No.', hint: '', command, requestable: false })
  }
  const state = await until('open')
  expect(state.said.map(({ annotation }) => annotation.kind)).toEqual(['allowed', 'blocked', 'blocked'])
  expect(state).toMatchObject({ sessionId: 's1', program: { id: 'xfreerdp' }, pastes: false })
  const bytes = await received()
  expect(readEntry(bytes)).toMatchObject({ kind: 'request', user: rdp.username })
  await expect.poll(left).toEqual([])
  desktop.end()
  expect((await until('ended')).phase).toEqual({ state: 'ended' })
})

test('a held connection starts nothing until it is approved', async () => {
  const done = desktop.launch()
  await until('opening')
  const policy = { id: 'rdp-prod-approval', reason: 'A desktop in production needs an approval.' }
  const approval = { group: 'dba', count: 1, windowSeconds: 60, notify: [] }
  say({ kind: 'held', policy, requestId: 'r1', approval, expiresAt: new Date().toISOString() })
  expect((await until('held')).phase).toMatchObject({ requestId: 'r1', policy })
  expect(await left()).toEqual([])
  say({ kind: 'approved', requestId: 'r1', by: ['grace'] })
  await done
  await until('open')
})

test.each([
  [{ kind: 'denied', requestId: 'r1', by: 'grace', reason: 'Not tonight.' }, 'grace denied it: Not tonight.'],
  [{ kind: 'expired', requestId: 'r1' }, 'Nobody decided on the request in time.'],
  [
    {
      kind: 'blocked',
      policy: { id: 'p', reason: 'r' },
      message: 'Contractors open no desktop.',
      hint: 'Ask.',
      requestable: false,
    },
    'Contractors open no desktop.',
  ],
] satisfies [Annotation, string][])(
  'refused ($0.kind): nothing is started, and it says why',
  async (annotation, message) => {
    void desktop.launch()
    await until('opening')
    say(annotation)
    // In the same breath, mostly.
    say({ kind: 'ended', reason: 'It is over.' })
    const { phase, said } = await until('ended')
    expect(phase).toMatchObject({ problem: { code: 'forbidden', message } })
    expect(said.at(-1)?.annotation).toEqual(annotation)
    expect(await left()).toEqual([])
  },
)

test.each([
  ['the tunnel closes first', () => void far.destroy()],
  ['the program leaves first', () => void far.end()],
])('a revoked session ends with the gateway’s words when %s', async (_, close) => {
  const done = desktop.launch()
  await until('opening')
  say(allowed)
  await done
  await until('open')
  const ended = until('ended')
  say({ kind: 'ended', reason: 'grace ended this session: lunch' })
  close()
  expect((await ended).phase).toMatchObject({ problem: { message: 'grace ended this session: lunch' } })
})

test('a tunnel that breaks before anything was decided is the outcome', async () => {
  desktop = new DesktopSession({
    connection: { name: 'desk-1', actions: [] },
    programs: [program],
    program,
    open: async () => {
      const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
      setImmediate(() => stream.destroy(fail('session-ended', 'Your grant has ended.')))
      return { stream, sessionId: 's', hostKey: undefined, rdp }
    },
    dataDir: dir,
    platform: 'linux',
    env: {},
    warn: () => {},
  })
  await desktop.launch()
  expect(desktop.state.get().phase).toMatchObject({ state: 'ended', problem: { message: 'Your grant has ended.' } })
})

test('what the gateway said of the end counts before how the tunnel broke after it', async () => {
  const done = desktop.launch()
  await until('opening')
  say(allowed)
  await done
  await until('open')
  say({ kind: 'ended', reason: 'the target showed another certificate' })
  tunnel.destroy(new Error('the tunnel is closed'))
  const { phase } = await until('ended')
  expect(phase).toMatchObject({ problem: { message: 'the target showed another certificate' } })
})

test('a program that fails says so, in its own last words', async () => {
  desktop = make({ PROGRAM_FAILS: '1' })
  const done = desktop.launch()
  await until('opening')
  say(allowed)
  await done
  const { phase } = await until('ended')
  expect(phase).toMatchObject({ problem: { message: 'FreeRDP ended with status 3 before it connected: no display' } })
  await expect.poll(left).toEqual([])
})

test('launched again, it is a new session with the old one closed', async () => {
  for (const session of ['s1', 's2']) {
    const before = far
    const done = desktop.launch()
    await until('opening')
    say(allowed)
    await done
    expect(await until('open')).toMatchObject({ sessionId: session })
    if (session === 's2' && !before.destroyed) await once(before.resume(), 'end')
  }
})

test('with no program installed nothing is opened, and it says what to install', async () => {
  desktop = make({}, [])
  await desktop.launch()
  expect(desktop.state.get()).toMatchObject({
    phase: { state: 'idle' },
    install: expect.stringContaining('Install FreeRDP'),
  })
  expect(opened).toBe(0)
})

test('the one-time password is told while it is good, and not after', async () => {
  expect(() => desktop.password()).toThrow('used up')
  const done = desktop.launch()
  await until('opening')
  say(allowed)
  await done
  await until('open')
  expect(desktop.password()).toEqual({ user: 'k3v9q2xwa', password: 'one-time' })
  desktop.end()
  expect(() => desktop.password()).toThrow('used up')
})
