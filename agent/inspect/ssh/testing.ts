import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { Decision } from '../../../shared/decision.ts'
import type { Held, HoldOutcome, HoldRequest } from '../../../shared/link.ts'
import type { RecordingEvent } from '../../../shared/recording.ts'
import type { DecisionRequest, InspectorPort, TextMask } from '../port.ts'
import type { InspectorSession } from '../session.ts'
import { ed25519Pair } from './key-pair.ts'
import { serveSsh } from './session.ts'
import { fingerprint } from './transport.ts'

/** Helpers of the SSH tests: a real OpenSSH host, a port in a few lines, and a door between them. */
export const sshd = ['/usr/sbin/sshd', '/usr/local/sbin/sshd'].find(existsSync)
export const hasOpenSsh = sshd !== undefined && ['ssh', 'scp', 'sftp'].every((name) => existsSync(`/usr/bin/${name}`))

/** The inspector's host key in tests. */
export const doorKey = ed25519Pair().private

export interface Host {
  port: number
  user: string
  privateKey: string
  hostKeys: string[]
  dir: string
  close(): Promise<void>
}

/** An unprivileged sshd on a free port. */
export async function startHost(): Promise<Host> {
  if (sshd === undefined) throw new Error('sshd is not installed')
  const dir = await mkdtemp(join(tmpdir(), 'sallyport-sshd-'))
  await chmod(dir, 0o755)
  const host = ed25519Pair()
  const user = ed25519Pair()
  const hostKeyFile = join(dir, 'host_key')
  await writeFile(hostKeyFile, host.private, { mode: 0o600 })
  await writeFile(join(dir, 'authorized_keys'), `${user.public}\n`)
  if (userInfo().uid === 0) await mkdir('/run/sshd', { recursive: true })
  const port = await freePort()
  const config = join(dir, 'sshd_config')
  const options = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${hostKeyFile}`,
    `AuthorizedKeysFile ${join(dir, 'authorized_keys')}`,
    `PidFile ${join(dir, 'pid')}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'AcceptEnv LANG LC_*',
    'Subsystem sftp internal-sftp',
    'MaxStartups 100',
  ]
  await writeFile(config, options.join('\n'))
  const child = spawn(sshd, ['-D', '-e', '-f', config])
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    let log = ''
    child.stderr.on('data', (chunk: Buffer) => {
      log += chunk
      if (log.includes('Server listening')) resolve()
    })
    child.once('exit', () => reject(new Error(`sshd did not start: ${log}`)))
  })
  const blob = Buffer.from(host.public.split(' ')[1] ?? '', 'base64')
  return {
    port,
    user: userInfo().username,
    privateKey: user.private,
    hostKeys: [fingerprint(blob)],
    dir,
    close: async () => {
      child.kill()
      await exited
      await rm(dir, { recursive: true, force: true })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listen(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}

export function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new Error('no port'))
      else resolve(address.port)
    })
  })
}

export interface TestPort extends InspectorPort {
  epoch: number
  annotations: 'machine' | 'text'
  events: RecordingEvent[]
  holds: (HoldRequest & { settle(outcome: HoldOutcome): void; cancelled: boolean })[]
  rule: (request: DecisionRequest) => Decision
  masks: TextMask[]
  /** Of what is recorded, where these are others. */
  recorded: readonly TextMask[] | undefined
  store: (event: RecordingEvent) => Promise<void> | undefined
  /** Resolves with the first event that `match` accepts, now or later. */
  seen<T extends RecordingEvent['type']>(
    type: T,
    match?: (event: Extract<RecordingEvent, { type: T }>) => boolean,
  ): Promise<Extract<RecordingEvent, { type: T }>>
  held(): Promise<TestPort['holds'][number]>
}

export const allow: Decision = { verdict: 'allow', policies: [{ id: 'everyone', reason: 'Everyone may' }] }
export const block: Decision = {
  verdict: 'block',
  policy: { id: 'no-prod-exec', reason: 'Commands on production are for the on-call' },
}
export const hold: Decision = {
  verdict: 'hold',
  policy: { id: 'ask-first', reason: 'Production commands need a second pair of eyes' },
  approval: { group: 'dba', count: 1, windowSeconds: 600, notify: [] },
}

export function testPort(rule: (request: DecisionRequest) => Decision = () => allow): TestPort {
  const begun = performance.now()
  const waiters: (() => void)[] = []
  const wake = (): void => {
    for (const waiter of waiters.splice(0)) waiter()
  }
  const until = async <T>(look: () => T | undefined): Promise<T> => {
    while (true) {
      const found = look()
      if (found !== undefined) return found
      await new Promise<void>((resolve) => waiters.push(resolve))
    }
  }
  const port: TestPort = {
    sessionId: 's1',
    principal: { kind: 'user', id: 'ada', name: 'Ada', groups: ['engineers'] },
    connection: { name: 'web-1', kind: 'ssh', environment: 'production', tags: [] },
    annotations: 'text',
    epoch: 1,
    events: [],
    holds: [],
    rule,
    masks: [],
    recorded: undefined,
    store: () => undefined,
    decide: (request) => port.rule(request),
    sensitivity: () => undefined,
    classOf: () => undefined,
    classesIn: (text) => port.masks.flatMap(({ dataClass, find }) => (find(text).length > 0 ? [dataClass] : [])),
    redact: (text) => text.replaceAll(/secret\w*/g, '[redacted]'),
    textMasks: () => port.masks,
    recordMasks: () => port.recorded ?? port.masks,
    grant: () => undefined,
    elapsed: () => performance.now() - begun,
    record: (event) => {
      const stored = port.store(event)
      port.events.push(event)
      wake()
      return stored
    },
    hold: async (request) => {
      let settle: (outcome: HoldOutcome) => void = () => undefined
      const outcome = new Promise<HoldOutcome>((resolve) => {
        settle = resolve
      })
      const entry = { ...request, settle, cancelled: false }
      port.holds.push(entry)
      wake()
      const held: Held = {
        requestId: `r${port.holds.length}`,
        expiresAt: '2030-01-01T12:00:00.000Z',
        outcome,
        cancel: () => {
          entry.cancelled = true
          settle({ kind: 'cancelled' })
          wake()
        },
      }
      return held
    },
    started: () => undefined,
    seen: (type, match = () => true) =>
      until(() => {
        for (const event of port.events) if (isOfType(event, type) && match(event)) return event
        return undefined
      }),
    held: () => until(() => port.holds.at(-1)),
  }
  return port
}

function isOfType<T extends RecordingEvent['type']>(
  event: RecordingEvent,
  type: T,
): event is Extract<RecordingEvent, { type: T }> {
  return event.type === type
}

export function emailMask(): TextMask {
  return {
    dataClass: 'email',
    unmask: { verdict: 'masked', policy: { id: 'mask-email', reason: 'Addresses are personal data' } },
    find: (text) =>
      [...text.matchAll(/[a-z0-9.]{1,40}@[a-z0-9]{1,40}\.[a-z]{2,10}/g)].map((m) => ({
        start: m.index,
        end: m.index + m[0].length,
      })),
    mask: () => '[email]',
    shapes: [['@']],
  }
}

export interface Door {
  port: number
  sessions: InspectorSession[]
  close(): Promise<void>
}

/** A listener that serves every connection as a tunnel session to `host`. */
export async function startDoor(
  host: Pick<Host, 'port' | 'user' | 'privateKey' | 'hostKeys'>,
  port: InspectorPort,
): Promise<Door> {
  const sessions: InspectorSession[] = []
  const clients = new Set<Socket>()
  const server = createServer({ noDelay: true }, (client) => {
    clients.add(client)
    client.once('close', () => clients.delete(client))
    sessions.push(
      serveSsh({
        client,
        dial: () => dialTcp(host.port),
        target: { kind: 'ssh', host: '127.0.0.1', ...host },
        hostKey: doorKey,
        port,
      }),
    )
  })
  const doorPort = await listen(server)
  return {
    port: doorPort,
    sessions,
    close: async () => {
      for (const session of sessions) session.end('The test is over.')
      await Promise.all(sessions.map((session) => session.done))
      for (const client of clients) client.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export function dialTcp(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
    socket.once('error', reject)
  })
}

export const sshOptions = [
  '-F',
  '/dev/null',
  '-o',
  'StrictHostKeyChecking=no',
  '-o',
  'UserKnownHostsFile=/dev/null',
  '-o',
  'LogLevel=ERROR',
  '-o',
  'BatchMode=yes',
]

export interface Ran {
  code: number
  stdout: Buffer
  stderr: string
}

/** Runs a native tool to its end. */
export async function tool(file: string, args: readonly string[], input?: string | Buffer): Promise<Ran> {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status, signal) => resolve(status ?? (signal === null ? 0 : 255)))
  })
  return { code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() }
}

export function ssh(door: Door, args: readonly string[], input?: string | Buffer): Promise<Ran> {
  return tool('ssh', [...sshOptions, '-p', String(door.port), 'ada@127.0.0.1', ...args], input)
}
