import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chown, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Log } from '../log.ts'
import { freePort } from '../ports.ts'
import type { HostSetup } from './setup.ts'

const sftpServer = [
  '/usr/lib/openssh/sftp-server',
  '/usr/libexec/openssh/sftp-server',
  '/usr/libexec/sftp-server',
  '/usr/lib/ssh/sftp-server',
].find((path) => existsSync(path))

/** Where a demo's sshd has its configuration and its process id. */
export function sshdFiles(folder: string): { config: string; pidFile: string } {
  return { config: join(folder, 'sshd_config'), pidFile: join(folder, 'sshd.pid') }
}

/**
 * A real sshd that signs in one account only, with the one key. It runs as the person who started the demo; started by root it stays
 * root, as sshd does, because only then can it hand over a terminal on every system, and sessions run as the unprivileged account.
 */
export async function startOpenSsh(
  sshd: string,
  setup: HostSetup,
  log: Log,
): Promise<{ port: number; close(): Promise<void> }> {
  const { folder, home, account } = setup
  const port = await freePort()
  const authorized = join(folder, 'authorized_keys')
  const { config, pidFile } = sshdFiles(folder)
  await writeFile(authorized, `restrict,pty ${setup.clientKey.public}\n`, { mode: 0o644 })
  await writeFile(
    config,
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${join(folder, 'host_key')}`,
      `AuthorizedKeysFile ${authorized}`,
      'AuthenticationMethods publickey',
      `AllowUsers ${setup.user}`,
      'PermitRootLogin no',
      'StrictModes no',
      'UsePAM no',
      `PidFile ${pidFile}`,
      'LogLevel INFO',
      'MaxSessions 100',
      'MaxStartups 100',
      'PrintMotd no',
      'PrintLastLog no',
      'X11Forwarding no',
      `ForceCommand ${join(home, 'enter')}`,
      ...(sftpServer === undefined ? [] : [`Subsystem sftp ${sftpServer}`]),
      '',
    ].join('\n'),
  )
  if (account !== undefined) {
    await chown(home, account.uid, account.gid)
    await mkdir('/run/sshd', { recursive: true, mode: 0o755 })
  }
  const child = spawn(sshd, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  const exited = once(child, 'exit')
  const said: string[] = []
  const listening = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      log.debug({ sshd: line }, 'demo target')
      if (said.length < 20) said.push(line)
      if (line.startsWith('Server listening')) resolve()
    })
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`The demo's sshd did not start: ${said.join('; ')}`)))
  })
  await listening
  return {
    port,
    close: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      await exited
    },
  }
}
