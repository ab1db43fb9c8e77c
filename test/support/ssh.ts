import { chmod, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SessionToken } from './access.ts'

/** Options for a host that the test itself started. */
export const sshOptions = [
  '-o',
  'StrictHostKeyChecking=no',
  '-o',
  'UserKnownHostsFile=/dev/null',
  '-o',
  'LogLevel=ERROR',
  '-o',
  'ConnectTimeout=20',
] as const

/** OpenSSH takes a password from nobody but a terminal or this: a program that prints it. */
export async function askPassEnv(token: SessionToken): Promise<Record<string, string>> {
  const file = join(await mkdtemp(join(tmpdir(), 'sallyport-askpass-')), 'askpass.sh')
  await writeFile(file, '#!/bin/sh\nprintf "%s\\n" "$SALLYPORT_TOKEN"\n')
  await chmod(file, 0o755)
  return { SSH_ASKPASS: file, SSH_ASKPASS_REQUIRE: 'force', SALLYPORT_TOKEN: token.token }
}
