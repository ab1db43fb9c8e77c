import { execFile } from 'node:child_process'
import { userInfo } from 'node:os'
import { promisify } from 'node:util'

const run = promisify(execFile)
const name = 'sallyport-demo'

/**
 * The account that sessions on `web-1` run as: the person's own, or, when this process is root, one made for it,
 * so that the demo never hands out a root shell.
 */
export async function unprivilegedAccount(): Promise<{
  user: string
  account: { uid: number; gid: number } | undefined
}> {
  if (process.getuid?.() !== 0) return { user: userInfo().username, account: undefined }
  const known = await lookUp()
  if (known !== undefined) return { user: name, account: known }
  await run('useradd', [
    '--system',
    // No password, and not locked either: sshd without PAM turns locked accounts away.
    '--password',
    '*',
    '--user-group',
    '--no-create-home',
    '--home-dir',
    '/',
    '--shell',
    '/bin/bash',
    name,
  ])
  const made = await lookUp()
  if (made === undefined) throw new Error(`The account "${name}" could not be made for the demo's SSH host.`)
  return { user: name, account: made }
}

async function lookUp(): Promise<{ uid: number; gid: number } | undefined> {
  try {
    const { stdout: uid } = await run('id', ['-u', name])
    const { stdout: gid } = await run('id', ['-g', name])
    return { uid: Number(uid), gid: Number(gid) }
  } catch (error) {
    // `id` exits with 1 where there is no such account; anything else is a real failure.
    if (error instanceof Error && 'code' in error && error.code === 1) return undefined
    throw error
  }
}
