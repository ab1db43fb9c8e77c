import { execFile } from 'node:child_process'
import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Where xrdp looks for its session manager's configuration and sockets, whatever its own configuration says. */
export const sesmanIni = '/etc/xrdp/sesman.ini'
const socketDir = '/run/xrdp/sockdir'

/** Gives the session manager's files of a folder those names, for one program and what it starts. */
const script = `set -e
mount --bind "$1" ${sesmanIni}
mount --bind "$2" ${socketDir}
shift 2
"$@"`

/** What to put in front of a command, so that it has a corner of the machine to itself. */
export type Corner = readonly string[]

/**
 * A corner in which a program sees a session manager's configuration of its own: other demos beside it, and what a killed one left,
 * do not matter. All that runs in it ends when its first process does, and that one ends with this process, however it ends.
 * Undefined where the machine lets nobody have one (a container without the right to mount).
 */
export async function ownCorner(folder: string, ini: string): Promise<Corner | undefined> {
  const sockets = join(folder, 'sockets')
  await mkdir(sockets, { recursive: true })
  await mkdir(socketDir, { recursive: true, mode: 0o755 })
  // As the package has it: programs of every account put their sockets there.
  await chmod(sockets, 0o3777)
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
  const corner = ['setpriv', '--pdeathsig', 'KILL', 'unshare', ...namespaces, 'sh', '-c', script, 'sh', ini, sockets]
  const [program = '', ...args] = corner
  return promisify(execFile)(program, [...args, 'true']).then(
    () => corner,
    () => undefined,
  )
}
