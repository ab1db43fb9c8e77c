import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { RPCHandler } from '@orpc/server/ws'
import { WebSocketServer } from 'ws'
import type { Core } from '../main/core.ts'
import { isOwnPeer } from '../main/peer.ts'
import { fail, messageOf } from '../main/problem.ts'
import { type Asset, openAssets } from './assets.ts'
import { Door } from './door.ts'
import { type Downloads, downloadsPath } from './downloads.ts'
import { pageHeaders, plainHeaders } from './headers.ts'

export interface WebShellOptions {
  core: Core
  /** What the core saves for the person: the same that the core was given as its saver. */
  downloads: Downloads
  /** The built renderer: `index.html` and what it loads. */
  rendererDir: string
  host?: '127.0.0.1'
  /** 0 or absent: a free one. */
  port?: number
}

export interface WebShell {
  /** A link that opens the client once, within two minutes. */
  url: string
  /** Another such link, for the terminal that started this to show. */
  newLink(): string
  close(): Promise<void>
}

const maxMessage = 16 * 1024 * 1024

/**
 * The client in a browser: its pages and its RPC (`/rpc`, WebSocket) on loopback. Only the user that runs it gets in, by a one-time
 * link; other sites and other names for this address (DNS rebinding) are refused.
 */
export async function startWebShell(options: WebShellOptions): Promise<WebShell> {
  const host = options.host ?? '127.0.0.1'
  const assets = await openAssets(options.rendererDir)
  const server = createServer()
  const port = await listen(server, host, options.port ?? 0)
  const authority = `${host}:${port}`
  const door = new Door(port)
  const shell: Shell = { authority, door, assets, downloads: options.downloads }

  server.on('request', (request, response) => {
    answer(shell, request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500, plainHeaders)
      response.end(messageOf(error))
    })
  })

  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxMessage, perMessageDeflate: false })
  const handler = new RPCHandler(options.core.router)
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    admit(shell, request)
      .then((refusal) => {
        if (refusal !== undefined) refuseUpgrade(socket, refusal)
        else sockets.handleUpgrade(request, socket, head, (ws) => void handler.upgrade(ws))
      })
      .catch(() => socket.destroy())
  })

  const link = (): string => `http://${authority}/open?key=${door.key()}`
  return {
    url: link(),
    newLink: link,
    async close() {
      for (const client of sockets.clients) client.close(1001, 'Sallyport was closed in its terminal.')
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

interface Shell {
  authority: string
  door: Door
  downloads: Downloads
  assets(path: string): Promise<Asset | undefined>
}

async function answer(shell: Shell, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const refusal = await stranger(shell, request)
  if (refusal !== undefined) {
    say(response, refusal.status, refusal.words)
    return
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    say(response, 405, 'Only GET is answered here.')
    return
  }
  const url = new URL(request.url ?? '/', `http://${shell.authority}`)
  if (url.pathname === '/open') {
    open(shell, url.searchParams.get('key') ?? '', response)
    return
  }
  if (!shell.door.knows(request.headers.cookie)) {
    say(response, 401, 'Open the link that Sallyport printed in its terminal. Press Enter there for a new one.')
    return
  }
  if (url.pathname.startsWith(downloadsPath)) {
    // A HEAD would use up what a GET is to bring.
    if (request.method === 'GET' && shell.downloads.serve(url.pathname, response)) return
    say(response, 404, 'This download was begun before, or is no longer there.')
    return
  }
  const asset = await shell.assets(url.pathname)
  if (asset === undefined) {
    say(response, 404, 'There is no such page.')
    return
  }
  response.writeHead(200, {
    ...pageHeaders(shell.authority),
    'content-type': asset.type,
    'content-length': asset.body.length,
    'cache-control': asset.immutable ? 'private, max-age=31536000, immutable' : 'no-store',
  })
  response.end(request.method === 'HEAD' ? undefined : asset.body)
}

function open(shell: Shell, key: string, response: ServerResponse): void {
  const cookie = shell.door.enter(key)
  if (cookie === undefined) {
    say(response, 403, 'This link was used, or is older than two minutes. Press Enter in the terminal for a new one.')
    return
  }
  response.writeHead(303, { ...plainHeaders, 'set-cookie': cookie, location: '/' })
  response.end()
}

interface Refusal {
  status: number
  words: string
}

/** Who has no business here at all: other users of this machine, and browsers that were told another name for this address. */
async function stranger(shell: Shell, request: IncomingMessage): Promise<Refusal | undefined> {
  if (request.headers.host !== shell.authority) {
    return { status: 421, words: `This is ${shell.authority}. Other names for it are not answered.` }
  }
  if (!(await isOwnPeer(request.socket))) {
    return { status: 403, words: 'This Sallyport was started by another user of this machine.' }
  }
  return undefined
}

async function admit(shell: Shell, request: IncomingMessage): Promise<Refusal | undefined> {
  const refusal = await stranger(shell, request)
  if (refusal !== undefined) return refusal
  // A page of any site may open a WebSocket to loopback; browsers say which one did.
  if (request.headers.origin !== `http://${shell.authority}`)
    return { status: 403, words: 'Another site asked for this.' }
  if (!shell.door.knows(request.headers.cookie)) return { status: 401, words: 'Open the link from the terminal first.' }
  if (new URL(request.url ?? '/', `http://${shell.authority}`).pathname !== '/rpc')
    return { status: 404, words: 'Not here.' }
  return undefined
}

function refuseUpgrade(socket: Duplex, { status, words }: Refusal): void {
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(words)}\r\n\r\n${words}`,
  )
}

function say(response: ServerResponse, status: number, words: string): void {
  response.writeHead(status, plainHeaders)
  response.end(`${words}\n`)
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        fail('conflict', `Port ${port} can't be opened: ${messageOf(error)}.`, { hint: 'Choose another with --port.' }),
      )
    })
    server.listen(port, host, () => {
      const address = server.address()
      if (address === null || typeof address === 'string') reject(fail('failed', 'No local port could be opened.'))
      else resolve(address.port)
    })
  })
}
