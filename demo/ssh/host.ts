import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../log.ts'
import { unprivilegedAccount } from './account.ts'
import { startBuiltIn } from './built-in.ts'
import { makeHome } from './home.ts'
import { fingerprint, keyPair } from './keys.ts'
import { startOpenSsh } from './openssh.ts'
import type { HostSetup } from './setup.ts'

export interface DemoSsh {
  host: string
  port: number
  user: string
  /** OpenSSH private key text that signs in there. */
  privateKey: string
  /** `SHA256:…` */
  hostKeys: string[]
  close(): Promise<void>
}

export const sshdPath = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/usr/bin/sshd'].find((path) => existsSync(path))

export const webFolder = (dataDir: string): string => join(dataDir, 'web-1')

/** `web-1`: an unprivileged OpenSSH where it is installed, else a server on ssh2 with a real shell behind it. */
export async function startSsh(dataDir: string, log: Log): Promise<DemoSsh> {
  const folder = webFolder(dataDir)
  const home = join(folder, 'home')
  await mkdir(home, { recursive: true, mode: 0o755 })
  await makeHome(home)
  const setup: HostSetup = {
    folder,
    home,
    ...(await unprivilegedAccount()),
    hostKey: await keyPair(join(folder, 'host_key')),
    clientKey: await keyPair(join(folder, 'client_key')),
  }
  const server = sshdPath === undefined ? await startBuiltIn(setup) : await startOpenSsh(sshdPath, setup, log)
  return {
    host: '127.0.0.1',
    port: server.port,
    user: setup.user,
    privateKey: setup.clientKey.private,
    hostKeys: [fingerprint(setup.hostKey.public)],
    close: server.close,
  }
}
