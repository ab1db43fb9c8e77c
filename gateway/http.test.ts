import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type HttpServer, startHttp } from './http.ts'
import { quiet } from './testing/store.ts'

const listen = { host: '127.0.0.1', port: 0 }
const started: HttpServer[] = []
const start = async () => {
  const http = await startHttp({ listen, tls: undefined, log: quiet })
  started.push(http)
  return http
}
afterEach(async () => {
  await Promise.all(started.splice(0).map((http) => http.close()))
})

test('a port that is taken is named, with what to do', async () => {
  const { address } = await start()
  const port = Number(new URL(address).port)
  await expect(startHttp({ listen: { ...listen, port }, tls: undefined, log: quiet })).rejects.toThrow(
    `Port ${port} on 127.0.0.1 is in use.`,
  )
})

test('a certificate that is none is named as the reason', async () => {
  const tls = { cert: 'no certificate', key: 'no key' }
  await expect(startHttp({ listen, tls, log: quiet })).rejects.toThrow(/^tls: .*can't be used/)
})

test('answers from the moment it listens, first that it is starting', async () => {
  const http = await start()
  const early = await fetch(http.address)
  expect([early.status, early.headers.get('content-type')]).toEqual([503, 'application/problem+json'])
  http.app.get('/x', async () => 'here')
  await http.open((_request, socket) => socket.destroy())
  const response = await fetch(`${http.address}/x`)
  expect(await response.text()).toBe('here')
  expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  expect(response.headers.get('x-frame-options')).toBe('DENY')
})

test('a fault of ours says nothing about why', async () => {
  const http = await start()
  http.app.get('/x', async () => {
    throw new Error('password=hunter2')
  })
  await http.open((_request, socket) => socket.destroy())
  const response = await fetch(`${http.address}/x`)
  expect(response.status).toBe(500)
  expect(await response.text()).not.toContain('hunter2')
})

test('an upgrade goes to the tunnel, and nowhere else', async () => {
  const http = await start()
  await http.open((_request, socket) => socket.end('HTTP/1.1 418 Tunnel\r\n\r\n'))
  const upgrade = async (path: string) => {
    const socket = connect(Number(new URL(http.address).port), '127.0.0.1')
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)
    const [data] = await once(socket, 'data')
    socket.destroy()
    return String(data).split('\r\n')[0]
  }
  expect(await upgrade('/api/v1/tunnel?x=1')).toBe('HTTP/1.1 418 Tunnel')
  expect(await upgrade('/api/v1/tunnel2')).toBe('HTTP/1.1 404 Not Found')
})

test('closing lets a request in flight finish', async () => {
  const http = await start()
  let release = () => {}
  const held = new Promise<void>((done) => {
    release = done
  })
  const arrived = Promise.withResolvers<void>()
  http.app.get('/slow', async () => {
    arrived.resolve()
    await held
    return 'finished'
  })
  await http.open((_request, socket) => socket.destroy())
  const response = fetch(`${http.address}/slow`)
  await arrived.promise
  const closed = http.close()
  started.length = 0
  release()
  expect(await (await response).text()).toBe('finished')
  await closed
  await expect(fetch(http.address)).rejects.toThrow()
})
