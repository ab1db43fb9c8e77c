import type { InspectorPort } from '../port.ts'
import type { Transport } from './transport.ts'

/** What a channel needs of its session; `Channel` is that channel. */
export interface ChannelHost<Channel> {
  readonly port: InspectorPort
  readonly client: Transport
  /** The account on the target. */
  readonly account: string
  /** Resolves with the transport once the target let us in; rejects with a reason in words. */
  target(): Promise<Transport>
  /** Sends the opening of a session channel to the target; its answer comes to `targetOpened` or `targetRefused`. */
  openOnTarget(channel: Channel): void
  nextRequest(): number
  /** A request that was refused out of hand: recorded, and counted against a client that tries on and on. */
  refused(text: string, reason: string): void
  /** Both sides are closed. */
  finished(channel: Channel): void
  moved(toClient: number, toTarget: number): void
  /** The session can't go on, for a reason in words: the recording or a mask failed. */
  failed(reason: string): void
}
