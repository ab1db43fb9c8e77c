import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { expect, test } from 'vitest'
import { makeIdentity } from '../../agent/inspect/rdp/testing/door.ts'
import { discoverGateway } from './address.ts'

const refusal = (address: string) =>
  discoverGateway(address).then(
    () => 'was reached',
    (error: Error) => error.message,
  )

async function port(server: ReturnType<typeof createServer> | ReturnType<typeof createTlsServer>): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

test('why a gateway is not reached is said in words that people know', async () => {
  const plain = createServer()
  const at = await port(plain)
  expect(await refusal(`https://127.0.0.1:${at}`)).toBe(
    `https://127.0.0.1:${at} can't be reached: it does not speak TLS there.`,
  )
  plain.close()
  await once(plain, 'close')
  expect(await refusal(`http://127.0.0.1:${at}`)).toContain("can't be reached: nothing answers at that port.")
  expect(await refusal('https://sallyport.invalid')).toMatch(/no such name is known|names can’t be looked up now/)
})

test('a certificate that nobody vouches for is said to be that, and nothing is sent', async () => {
  const { certificate, key } = await makeIdentity('localhost')
  let asked = 0
  const server = createTlsServer({ cert: certificate, key }, () => {
    asked += 1
  })
  const at = await port(server)
  expect(await refusal(`https://localhost:${at}`)).toContain('signed by nobody that this computer trusts')
  expect(asked).toBe(0)
  server.close()
})
