import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { connectionRequest } from '../testing/rdp.ts'
import { type Door, openDoor } from './door.ts'

let door: Door
let came: Socket[]
let warnings: string[]

beforeEach(async () => {
  came = []
  warnings = []
  door = await openDoor({
    user: 'k3v9q2xwa',
    entered: (socket) => came.push(socket),
    warn: (message) => warnings.push(message),
  })
})

afterEach(() => {
  door.close()
  for (const socket of came) socket.destroy()
})

async function knock(bytes: Buffer): Promise<{ socket: Socket; dropped: boolean }> {
  const socket = connect(door.port, door.host)
  socket.on('error', () => {})
  socket.write(bytes)
  const end = once(socket, 'close').then(() => true)
  const enter = (async () => {
    while (came.length === 0) await new Promise((resolve) => setImmediate(resolve))
    return false
  })()
  return { socket, dropped: await Promise.race([end, enter]) }
}

test('the program with the one-time name enters, its first packet with it', async () => {
  const bytes = connectionRequest('k3v9q2xwa')
  const { dropped } = await knock(bytes)
  expect(dropped).toBe(false)
  const [entered] = came
  if (entered === undefined) throw new Error('nobody entered')
  expect((await once(entered.resume(), 'data'))[0]).toEqual(bytes)
})

test.each([
  ['another name', connectionRequest('administr')],
  ['the name and more', connectionRequest('k3v9q2xwa1')],
  ['no name', connectionRequest(undefined)],
  ['no RDP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
])('%s is dropped, and the door stays open for the right one', async (_what, bytes) => {
  expect((await knock(bytes)).dropped).toBe(true)
  expect(came).toHaveLength(0)
  expect((await knock(connectionRequest('k3v9q2xwa'))).dropped).toBe(false)
})

test('nobody enters after the first', async () => {
  await knock(connectionRequest('k3v9q2xwa'))
  const second = connect(door.port, door.host)
  await expect(once(second, 'connect')).rejects.toThrow('ECONNREFUSED')
  expect(came).toHaveLength(1)
})

test('those who wait when the right one enters are dropped', async () => {
  const silent = connect(door.port, door.host)
  silent.on('error', () => {})
  await once(silent, 'connect')
  const closed = once(silent, 'close')
  await knock(connectionRequest('k3v9q2xwa'))
  await closed
})

test.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)(
  'another user of the machine is turned away, whatever they say',
  async () => {
    const hex = [...connectionRequest('k3v9q2xwa')].map((b) => `\\x${b.toString(16).padStart(2, '0')}`).join('')
    const script = `exec 3<>/dev/tcp/127.0.0.1/${door.port}; printf '${hex}' >&3; head -c 1 <&3`
    const other = spawn('bash', ['-c', script], { uid: 65_534, cwd: '/' })
    await once(other, 'close')
    expect(came).toHaveLength(0)
    expect(warnings.join()).toContain('another user')
  },
)
