import type { ClientLink } from '@orpc/client'
import { RPCLink as PortLink } from '@orpc/client/message-port'
import { RPCLink as SocketLink } from '@orpc/client/websocket'
import { createStore, type Store } from './store.ts'

type Link = ClientLink<Record<never, never>>

/** Whether the page reaches the client core on this computer, which is another thing than whether that reaches the gateway. */
export type CoreState =
  | 'connecting'
  | 'up'
  /** It does not answer, and nobody knows why. */
  | 'down'
  /** It said that it ends. */
  | 'closed'
  /** One that was started since answers in its place, and does not know this page. */
  | 'replaced'

export interface Connection {
  link: Link
  state: Pick<Store<CoreState>, 'get' | 'subscribe'>
}

/** Nothing can be asked of the core, or not yet. */
export function isLost(state: CoreState): boolean {
  return state !== 'up' && state !== 'connecting'
}

/** Of a WebSocket that is closed because its server ends (RFC 6455). */
const goingAway = 1001

/** Longest wait between two attempts to reach the core again. */
const maxDelay = 5_000

/**
 * The core over a WebSocket that is opened again when it closes. Calls in flight fail then, and are never sent a second time;
 * calls made while it is closed wait for the next one that opens. `knows`: whether what answers at the address lets this page in; rejects
 * when nothing does.
 */
export function connectSocket(url: string, knows: () => Promise<boolean>): Connection {
  const state = createStore<CoreState>('connecting')
  let attempt = 0
  let ready = Promise.withResolvers<Link>()
  const open = () => {
    const socket = new WebSocket(url)
    socket.binaryType = 'arraybuffer'
    const link: Link = new SocketLink({ websocket: socket })
    let opened = false
    socket.addEventListener('open', () => {
      attempt = 0
      opened = true
      state.set('up')
      ready.resolve(link)
    })
    socket.addEventListener('close', ({ code }) => {
      if (state.get() === 'up') ready = Promise.withResolvers<Link>()
      if (opened) state.set(code === goingAway ? 'closed' : 'down')
      else if (!isLost(state.get())) state.set('down')
      else void lookAgain()
      attempt += 1
      setTimeout(open, Math.min(maxDelay, 250 * 2 ** attempt))
    })
  }
  const lookAgain = async () => {
    // A refusal can't be told from silence by the socket itself.
    const known = await knows().catch(() => undefined)
    if (known === false && isLost(state.get())) state.set('replaced')
  }
  open()
  return {
    state,
    link: {
      call: async (path, input, options) =>
        (await untilAborted(ready.promise, options.signal)).call(path, input, options),
    },
  }
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** The core over the MessagePort that Electron's preload hands in, once, by `window.postMessage`. */
export function connectPort(page: Window): Connection {
  const state = createStore<CoreState>('connecting')
  const link = new Promise<Link>((resolve) => {
    const receive = (event: MessageEvent<unknown>) => {
      const [port] = event.ports
      if (event.source !== page || event.data !== portMessage || port === undefined) return
      page.removeEventListener('message', receive)
      const made: Link = new PortLink({ port })
      port.start()
      state.set('up')
      resolve(made)
    }
    page.addEventListener('message', receive)
    // The preload answers this with the port, so that neither side has to be first.
    page.postMessage(readyMessage, page.location.origin)
  })
  return { state, link: { call: async (path, input, options) => (await link).call(path, input, options) } }
}

/** What the page posts to itself when it can take the port, and what the preload posts with it. */
const readyMessage = 'sallyport:ready'
const portMessage = 'sallyport:port'

/** The link that fits where the page came from: a web server has the core behind `/rpc`, Electron's protocol has a preload. */
export function connect(page: Window): Connection {
  const { protocol, host } = page.location
  if (protocol === 'http:' || protocol === 'https:') {
    const knows = async () => (await fetch('/', { method: 'HEAD', cache: 'no-store' })).status !== 401
    return connectSocket(`${protocol === 'https:' ? 'wss' : 'ws'}://${host}/rpc`, knows)
  }
  return connectPort(page)
}
