/** How a viewer's bytes get out of the page. */
export interface Transport {
  /** What the far end sends; ends with the session. */
  read(signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>
  /** Resolves when the far end takes more. */
  send(bytes: Uint8Array): Promise<void>
}

/** By address: IronRDP gives its socket nothing else. An entry is there for as long as its viewer is. */
const transports = new Map<string, Transport>()

/** Registers a transport; returns the address to connect to, and how to end it. */
export function offerTransport(transport: Transport): { address: string; close(): void } {
  const address = `ws://viewer.invalid/${crypto.randomUUID()}`
  transports.set(address, transport)
  return { address, close: () => void transports.delete(address) }
}

/**
 * Stands in for WebSocket inside IronRDP (see `iron-rdp.vite.config.ts`): the page may open no connection, so its messages go by RPC. It has
 * the events and members that IronRDP uses, and is open once somebody could listen.
 */
export class ViewerSocket extends EventTarget {
  readonly url: string
  binaryType: BinaryType = 'arraybuffer'
  readyState: number = WebSocket.CONNECTING
  readonly #life = new AbortController()
  readonly #transport: Transport | undefined
  #sending: Promise<void> = Promise.resolve()

  constructor(address: string) {
    super()
    this.url = address
    // IronRDP adds parameters of its own.
    const plain = [...transports.keys()].find((known) => address.startsWith(known))
    this.#transport = plain === undefined ? undefined : transports.get(plain)
    setTimeout(() => void this.#run())
  }

  async #run(): Promise<void> {
    if (this.#transport === undefined) return this.#end(1006)
    try {
      const messages = await this.#transport.read(this.#life.signal)
      this.readyState = WebSocket.OPEN
      this.dispatchEvent(new Event('open'))
      for await (const bytes of messages) {
        const copy = new Uint8Array(bytes)
        this.dispatchEvent(new MessageEvent('message', { data: copy.buffer }))
      }
      this.#end(1000)
    } catch (error) {
      if (!this.#life.signal.aborted) console.warn('The viewer lost its session.', error)
      this.#end(1006)
    }
  }

  /** IronRDP sends blobs; they are read and sent in order. */
  send(data: Blob | ArrayBuffer): void {
    const blob = new Blob([data])
    this.#sending = this.#sending.then(() => this.#deliver(blob))
  }

  async #deliver(blob: Blob): Promise<void> {
    if (this.readyState !== WebSocket.OPEN) return
    try {
      await this.#transport?.send(new Uint8Array(await blob.arrayBuffer()))
    } catch (error) {
      console.warn('The viewer lost its session.', error)
      this.#end(1006)
    }
  }

  close(): void {
    this.#end(1000)
  }

  #end(code: number): void {
    if (this.readyState === WebSocket.CLOSED) return
    this.readyState = WebSocket.CLOSED
    this.#life.abort()
    if (code !== 1000) this.dispatchEvent(new Event('error'))
    this.dispatchEvent(new CloseEvent('close', { code, wasClean: code === 1000 }))
  }
}
