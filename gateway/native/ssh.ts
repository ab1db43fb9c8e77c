import type { Socket } from 'node:net'
import type { SshFront } from '../../shared/link.ts'
import type { LocalAgent, Log } from '../services.ts'
import { enterNative, type NativeDeps, splitUser } from './enter.ts'
import { Entering, type EnteringOptions, type Served } from './entering.ts'
import { type ListenOptions, listenDoor, type NativeListener } from './listener.ts'
import type { Deadline } from './reader.ts'

export interface SshListenerOptions extends EnteringOptions, Pick<ListenOptions, 'listen'>, NativeDeps {
  agent: LocalAgent
  log: Log
}

/** People type and paste here; PostgreSQL clients do not. */
const patienceMs = 60_000
const attempts = 3
const refusalDelayMs = 300

/** The native SSH listener: the agent ends the transport, and asks here who may enter. */
export function listenSsh(options: SshListenerOptions): Promise<NativeListener> {
  const door = new Entering({ patienceMs, ...options }, (socket, deadline) => serve(options, socket, deadline))
  return listenDoor(options, door)
}

/** Resolves once somebody was let in; a connection that never gets there is cut at its deadline. */
function serve(options: SshListenerOptions, socket: Socket, deadline: Deadline): Promise<Served> {
  const sourceIp = (socket.remoteAddress ?? '').replace(/^::ffff:/, '')
  return new Promise((entered) => {
    let tries = 0
    let inside = false
    const front: SshFront = {
      async authenticate(typedUser, password) {
        const { user, connection } = splitUser(typedUser)
        const refuse = async (reason: string) => {
          await new Promise((done) => setTimeout(done, refusalDelayMs).unref())
          return { ok: false, reason } as const
        }
        if (inside || ++tries > attempts) {
          socket.destroy()
          return refuse('Too many attempts.')
        }
        if (connection === undefined) {
          return refuse(`Say where to: ssh ${user}%CONNECTION@gateway. \`sallyport ls\` lists the connections.`)
        }
        const entry = await deadline.race(enterNative(options, { user, connection, token: password, sourceIp }))
        if (!entry.ok) return refuse(`${entry.message} ${entry.hint}`)
        if (entry.session.spec.target.kind !== 'ssh') {
          return refuse(`${connection} is not an SSH host. \`sallyport ls\` tells the kind of each connection.`)
        }
        if (socket.destroyed || inside) return refuse('The connection was closed.')
        const full = options.sessions.room(connection, entry.session.spec.principal.id)
        if (full !== undefined) return refuse(`${full.message} ${full.hint}`)
        inside = true
        const live = options.sessions.prepare({ ...entry.session, client: socket })
        entered('in')
        return {
          ok: true,
          spec: entry.session.spec,
          port: live.port,
          opened: (session) => void live.attach(session),
        }
      },
    }
    options.agent.openSsh(socket, front)
  })
}
