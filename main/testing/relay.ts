import { createServer, type Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'

/** Stands for the gateway's tunnel in tests: single-use tickets, and each WebSocket relayed to one TCP address. */
export interface Relay {
  url: string
  server: Server
  ticket(): string
  /** The tunnels that are open, oldest first. */
  tunnels: { socket: WebSocket; target: Socket }[]
  /** Sees what the target sends, and may put bytes before it. */
  onTarget: (chunk: Buffer, tunnel: number) => Buffer
  close(): Promise<void>
}

export async function startRelay(targetPort: number): Promise<Relay> {
  const server = createServer((_request, response) => response.writeHead(404).end())
  const upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  const tickets = new Set<string>()
  let count = 0
  server.on('upgrade', (request, socket: Duplex, head) => {
    const ticket = String(request.headers['sallyport-ticket'])
    if (!tickets.delete(ticket)) {
      const body = JSON.stringify({
        type: 'about:blank',
        title: 'Unauthorized',
        status: 401,
        code: 'NOT_SIGNED_IN',
        detail: 'This ticket was used or has expired.',
      })
      socket.end(
        `HTTP/1.1 401 Unauthorized\r\ncontent-type: application/problem+json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      )
      return
    }
    upgrades.handleUpgrade(request, socket, head, (ws) => serve(ws))
  })
  const relay: Relay = {
    url: '',
    server,
    ticket() {
      count += 1
      tickets.add(`t${count}`)
      return `t${count}`
    },
    tunnels: [],
    onTarget: (chunk) => chunk,
    async close() {
      for (const { socket, target } of relay.tunnels) {
        socket.terminate()
        target.destroy()
      }
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
  const serve = (ws: WebSocket): void => {
    const target = connect(targetPort, '127.0.0.1')
    const number = relay.tunnels.push({ socket: ws, target })
    ws.on('message', (data: Buffer) => target.write(data))
    ws.on('close', () => target.end())
    target.on('data', (chunk) => {
      target.pause()
      ws.send(relay.onTarget(chunk, number), { binary: true }, () => target.resume())
    })
    target.on('close', () => ws.close(1000))
    target.on('error', () => ws.close(4502, 'The target hung up.'))
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the relay has no port')
  relay.url = `ws://127.0.0.1:${address.port}/api/v1/tunnel`
  return relay
}
