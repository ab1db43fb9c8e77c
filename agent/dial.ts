import { connect, type Socket } from 'node:net'
import type { Target } from '../shared/link.ts'
import { connectLender } from './lender.ts'

const dialTimeoutMs = 10_000

/**
 * Opens a TCP connection to a target; TLS is the inspector's, which knows where in the protocol it belongs.
 * Rejects with a reason for people, without the address: that is not for clients.
 */
export function dial(target: Target, timeoutMs: number = dialTimeoutMs): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const options = { host: target.host, port: target.port, noDelay: true, keepAlive: true }
    // TLS reads by itself.
    const lends = target.kind === 'postgres' && target.tls.mode === 'disable'
    const socket = lends ? connectLender(options) : connect(options)
    const fail = (reason: string): void => {
      socket.destroy()
      reject(new Error(reason))
    }
    const timer = setTimeout(() => fail(`the target did not answer within ${timeoutMs / 1000} s`), timeoutMs)
    const onError = (error: NodeJS.ErrnoException): void => {
      clearTimeout(timer)
      fail(inWords(error))
    }
    socket.once('error', onError)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', onError)
      // Whoever uses the stream listens too; but an error in between must not be the end of the agent and all its sessions.
      socket.on('error', () => socket.destroy())
      resolve(socket)
    })
  })
}

/** Whether the target's address accepts connections, within `timeoutMs`. */
export async function probe(target: Target, timeoutMs: number): Promise<boolean> {
  return dial(target, timeoutMs).then(
    (socket) => {
      socket.destroy()
      return true
    },
    () => false,
  )
}

function inWords(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ECONNREFUSED':
      return 'the target refuses connections: it may be down or starting'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return "the target's name can't be resolved"
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return "the target can't be reached from the agent"
    default:
      return `the target can't be reached (${error.code ?? 'no reason given'})`
  }
}
