import { connectChannel } from './channels.ts'
import { isPage } from './protocol.ts'

/** The parts of Electron's IPC that are used: one channel, and no `handle`. */
export interface PortBroker<Port> {
  readonly ipc: {
    on(channel: string, listener: (event: { readonly senderFrame: PageFrame<Port> | null }) => void): unknown
  }
  /** `new MessageChannelMain()` */
  channel(): { port1: Port; port2: Port }
  /** Serves the RPC on a port. */
  serve(port: Port): void
}

export interface PageFrame<Port> {
  readonly url: string
  /** Null for the main frame. */
  readonly parent: unknown
  postMessage(channel: string, message: unknown, transfer: Port[]): void
}

/** Gives a port to the client core to each load of our page's main frame; to a frame of anything else, no answer. */
export function brokerPorts<Port>({ ipc, channel, serve }: PortBroker<Port>): void {
  ipc.on(connectChannel, ({ senderFrame }) => {
    if (senderFrame === null || senderFrame.parent !== null || !isPage(senderFrame.url)) return
    const { port1, port2 } = channel()
    serve(port1)
    senderFrame.postMessage(connectChannel, null, [port2])
  })
}
