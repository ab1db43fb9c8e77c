import { EventEmitter, once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/message-port'
import { os } from '@orpc/server'
import { RPCHandler } from '@orpc/server/message-port'
import { expect, test, vi } from 'vitest'
import { connectChannel, portMessage, readyMessage } from './channels.ts'
import { brokerPorts, type PageFrame } from './ports.ts'

const router = { hello: os.handler(() => 'from the core') }

function broker() {
  const ipc = new EventEmitter()
  const handler = new RPCHandler(router)
  const made: MessagePort[] = []
  brokerPorts<MessagePort>({
    ipc,
    channel: () => {
      const channel = new MessageChannel()
      made.push(channel.port1, channel.port2)
      return channel
    },
    serve: (port) => {
      handler.upgrade(port)
      port.start()
    },
  })
  return { ipc, made }
}

function frame(url: string, parent: unknown = null): PageFrame<MessagePort> & { got: MessagePort[] } {
  const got: MessagePort[] = []
  return { url, parent, got, postMessage: (_channel, _message, transfer) => void got.push(...transfer) }
}

test('the page gets a port, and the core answers on it', async () => {
  const { ipc, made } = broker()
  const page = frame('app://sallyport/index.html')
  ipc.emit(connectChannel, { senderFrame: page })
  const [port] = page.got
  if (port === undefined) throw new Error('no port came')
  const client = createORPCClient<{ hello(): Promise<string> }>(new RPCLink({ port }))
  port.start()
  expect(await client.hello()).toBe('from the core')
  for (const each of made) each.close()
})

test.each([
  ['another page', frame('https://evil.example/')],
  ['a frame inside the page', frame('app://sallyport/index.html', {})],
  ['an origin that only looks alike', frame('app://sallyport.evil/')],
])('%s gets none', (_, other) => {
  const { ipc, made } = broker()
  ipc.emit(connectChannel, { senderFrame: other })
  ipc.emit(connectChannel, { senderFrame: null })
  expect(other.got).toEqual([])
  expect(made).toEqual([])
})

test('the preload passes the port on, and puts nothing into the page', async () => {
  const ipcRenderer = Object.assign(new EventEmitter(), {
    sent: [] as string[],
    send: (channel: string) => void ipcRenderer.sent.push(channel),
  })
  vi.doMock('electron', () => ({ ipcRenderer }))
  const page = Object.assign(new EventEmitter(), {
    location: { origin: 'app://sallyport' },
    addEventListener: (type: string, listener: (event: unknown) => void) => void page.on(type, listener),
    posted: [] as unknown[],
    postMessage: (...args: unknown[]) => {
      page.posted.push(args)
      page.emit('posted')
    },
  })
  vi.stubGlobal('window', page)
  const before = Object.keys(page)
  await import('./preload.ts')
  page.emit('message', { source: {}, data: readyMessage })
  page.emit('message', { source: page, data: 'something else' })
  expect(ipcRenderer.sent).toEqual([])
  page.emit('message', { source: page, data: readyMessage })
  expect(ipcRenderer.sent).toEqual([connectChannel])
  const posted = once(page, 'posted')
  ipcRenderer.emit(connectChannel, { ports: ['port'] })
  await posted
  expect(page.posted).toEqual([[portMessage, 'app://sallyport', ['port']]])
  expect(Object.keys(page)).toEqual(before)
  vi.unstubAllGlobals()
  vi.doUnmock('electron')
})

test('there is no other channel to listen on, in any file of the shell', async () => {
  const dir = import.meta.dirname
  const names = (await readdir(dir)).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  const using: string[] = []
  for (const name of names) {
    const text = await readFile(join(dir, name), 'utf8')
    if (
      /\bipc(Main)?\s*\.\s*(on|once|handle|handleOnce|addListener)\(|\bcontextBridge\b|\bexposeInMainWorld\b/.test(text)
    )
      using.push(name)
  }
  expect(using).toEqual(['ports.ts'])
})
