import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/websocket'
import type { ContractRouterClient } from '@orpc/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type Core, createCore } from '../main/core.ts'
import { fileSecrets } from '../main/files.ts'
import type { rpcContract } from '../shared/rpc/contract.ts'
import { Door } from './door.ts'
import { Downloads } from './downloads.ts'
import { startWebShell, type WebShell } from './shell.ts'

let dir: string
const downloads = new Downloads()
let core: Core
let shell: WebShell
let origin: string

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sallyport-web-'))
  await writeFile(join(dir, 'index.html'), '<!doctype html><title>Sallyport</title>')
  await writeFile(join(dir, 'secret.txt'), 'no page of ours')
  const log = { info: () => {}, warn: () => {}, error: () => {} }
  core = await createCore({
    dataDir: join(dir, 'data'),
    secrets: fileSecrets(join(dir, 'secrets')),
    shell: 'browser',
    version: '0.0.0',
    openExternal: () => Promise.resolve(),
    saver: downloads.saver,
    log,
  })
  shell = await startWebShell({ core, rendererDir: dir, downloads })
  origin = new URL(shell.url).origin
})

afterAll(async () => {
  await shell.close()
  await core.close()
  await rm(dir, { recursive: true })
})

interface Answer {
  status: number
  headers: NodeJS.Dict<string | string[]>
  body: string
}

function get(url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers, method }, (response) => {
      let body = ''
      response.on('data', (chunk) => {
        body += String(chunk)
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
    sent.on('error', reject)
    sent.end()
  })
}

async function cookie(): Promise<string> {
  const { headers } = await get(shell.newLink())
  return String(headers['set-cookie']).split(';')[0] ?? ''
}

test('a link opens the client once, and the address that stays holds no secret', async () => {
  const link = shell.newLink()
  const first = await get(link)
  expect(first.status).toBe(303)
  expect(first.headers.location).toBe('/')
  expect(String(first.headers['set-cookie'])).toMatch(/HttpOnly; SameSite=Strict/)
  expect((await get(link)).status).toBe(403)
  expect((await get(`${origin}/open?key=guess`)).status).toBe(403)
})

test('a link is good for two minutes', () => {
  let now = 0
  const door = new Door(1, () => now)
  const key = door.key()
  now = 2 * 60_000 + 1
  expect(door.enter(key)).toBeUndefined()
  expect(door.enter(door.key())).toBeDefined()
})

test('pages are for holders of the cookie, with a strict policy, and no file beside them', async () => {
  expect((await get(`${origin}/`)).status).toBe(401)
  const own = { cookie: await cookie() }
  const page = await get(`${origin}/`, own)
  expect(page.status).toBe(200)
  expect(page.headers['content-security-policy']).toContain("script-src 'self' 'wasm-unsafe-eval';")
  expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'")
  expect(page.headers['cache-control']).toBe('no-store')
  for (const path of ['/secret.txt', '/..%2f..%2fetc/passwd', '/data/settings.json', '/.hidden.js', '//x/y.js']) {
    expect((await get(`${origin}${path}`, own)).status).toBe(404)
  }
  expect((await get(`${origin}/`, own, 'POST')).status).toBe(405)
})

test('another name for this address is not answered', async () => {
  const own = { cookie: await cookie() }
  for (const host of ['evil.example', 'localhost', `evil.example:${new URL(origin).port}`]) {
    expect((await get(`${origin}/`, { ...own, host })).status).toBe(421)
    expect((await get(shell.newLink(), { host })).status).toBe(421)
  }
})

test('a download is for the page alone, once, whole, and under its name', async () => {
  const own = { cookie: await cookie() }
  const target = await downloads.saver({ name: 'Kunden "ä".csv', type: 'text/csv' })
  const path = target?.offer ?? ''
  expect(path).toMatch(/^\/download\//)
  expect((await get(`${origin}${path}`)).status).toBe(401)
  expect((await get(`${origin}${path}`, own, 'HEAD')).status).toBe(404)
  const answer = get(`${origin}${path}`, own)
  const stream = await target?.open()
  stream?.end('id\r\n1\r\n')
  const { status, headers, body } = await answer
  expect([status, body]).toEqual([200, 'id\r\n1\r\n'])
  expect(headers['content-disposition']).toBe("attachment; filename*=UTF-8''Kunden%20%22%C3%A4%22.csv")
  expect(headers['content-security-policy']).toContain("default-src 'none'")
  expect(await target?.commit()).toBe('Kunden "ä".csv')
  expect((await get(`${origin}${path}`, own)).status).toBe(404)
})

test('a download that is given up breaks off, so that the browser keeps no part of it', async () => {
  const own = { cookie: await cookie() }
  const target = await downloads.saver({ name: 'a.csv', type: 'text/csv' })
  const answer = get(`${origin}${target?.offer}`, own)
  const stream = await target?.open()
  await new Promise((resolve) => stream?.write('half', resolve))
  await target?.discard()
  await expect(answer).rejects.toThrow()
  const unused = await downloads.saver({ name: 'a.csv', type: 'text/csv' })
  await unused?.discard()
  expect((await get(`${origin}${unused?.offer}`, own)).status).toBe(404)
})

async function upgrade(headers: Record<string, string>, path = '/rpc'): Promise<number> {
  const socket = new WebSocket(`${origin.replace('http', 'ws')}${path}`, { headers })
  const [outcome] = await Promise.race([
    once(socket, 'open').then(() => [101]),
    once(socket, 'unexpected-response').then(([, response]) => [response.statusCode]),
  ])
  socket.on('error', () => {})
  socket.terminate()
  return outcome
}

test('the RPC is for our own page alone', async () => {
  const own = await cookie()
  expect(await upgrade({ cookie: own, origin })).toBe(101)
  expect(await upgrade({ cookie: own })).toBe(403)
  expect(await upgrade({ cookie: own, origin: 'http://evil.example' })).toBe(403)
  expect(await upgrade({ cookie: own, origin: 'http://127.0.0.1:1' })).toBe(403)
  expect(await upgrade({ origin })).toBe(401)
  expect(await upgrade({ cookie: 'sallyport_1=x', origin })).toBe(401)
  expect(await upgrade({ cookie: own, origin, host: 'evil.example' })).toBe(421)
  expect(await upgrade({ cookie: own, origin }, '/other')).toBe(404)
})

test('the RPC speaks the contract, with problems in words', async () => {
  const headers = { cookie: await cookie(), origin }
  const socket = new globalThis.WebSocket(`${origin.replace('http', 'ws')}/rpc`, { headers })
  await once(socket, 'open')
  const client: ContractRouterClient<typeof rpcContract> = createORPCClient(new RPCLink({ websocket: socket }))
  expect(await client.app.platform()).toMatchObject({ shell: 'browser', version: '0.0.0' })
  const states = await client.auth.state()
  expect((await states.next()).value).toEqual({ state: 'signed-out' })
  await expect(client.sql.open({ connection: 'orders-db' })).rejects.toMatchObject({
    code: 'PROBLEM',
    defined: true,
    data: { code: 'not-signed-in', action: 'sign-in' },
  })
  await expect(client.gateway.me()).rejects.toMatchObject({ code: 'NOT_SIGNED_IN', defined: true })
  await expect(client.auth.discover({ gateway: 'http://example.com' })).rejects.toMatchObject({
    data: { code: 'bad-input', hint: 'Use https://example.com' },
  })
  await expect(client.app.openExternal({ url: 'https://evil.example/' })).rejects.toMatchObject({ code: 'PROBLEM' })
  socket.close()
})
