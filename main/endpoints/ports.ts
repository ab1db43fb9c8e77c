import { createServer } from 'node:net'
import type { ConnectionKind } from '../../shared/connection.ts'
import { codeOf } from '../problem.ts'

/** Where the ports of a kind begin: its own port with a 1 (or a 2) in front, so that people know it again. */
const firstPort: Readonly<Record<ConnectionKind, number>> = {
  postgres: 15432,
  ssh: 12022,
  rdp: 13389,
  kubernetes: 16443,
  http: 18080,
}

/** How far above the first one a free port is looked for. */
const reach = 500

/** The lowest port of a kind that no other connection has. */
export function plannedPort(kind: ConnectionKind, taken: ReadonlySet<number>): number {
  let port = firstPort[kind]
  while (taken.has(port)) port += 1
  return port
}

/** The first port from `from` on that neither a connection has nor a program uses now; undefined: none within reach. */
export async function freePort(from: number, taken: ReadonlySet<number>): Promise<number | undefined> {
  for (let port = from; port < Math.min(from + reach, 65_536); port += 1) {
    if (!taken.has(port) && (await isFree(port))) return port
  }
  return undefined
}

/** No program uses it now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error) => {
      const code = codeOf(error)
      if (code === 'EADDRINUSE' || code === 'EACCES') resolve(false)
      else reject(error)
    })
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
