import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import ssh2 from 'ssh2'

const run = promisify(execFile)

/** A key pair in OpenSSH form, made on first use and kept in `file` and `file.pub`. */
export async function keyPair(file: string): Promise<{ private: string; public: string }> {
  if (!existsSync(file)) await makeKeyPair(file)
  return { private: await readFile(file, 'utf8'), public: (await readFile(`${file}.pub`, 'utf8')).trim() }
}

/** With OpenSSH's own tool where it is: now and then it can't read what ssh2 makes. */
async function makeKeyPair(file: string): Promise<void> {
  try {
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'sallyport-demo', '-f', file])
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    const made = ssh2.utils.generateKeyPairSync('ed25519')
    await writeFile(`${file}.pub`, `${made.public}\n`)
    await writeFile(file, made.private, { mode: 0o600 })
  }
}

/** `SHA256:…` of a public key in OpenSSH form (`ssh-ed25519 AAAA…`), as ssh-keygen -l prints it. */
export function fingerprint(publicKey: string): string {
  const blob = publicKey.split(' ')[1]
  if (blob === undefined) throw new Error('not an OpenSSH public key')
  return `SHA256:${createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64').replace(/=+$/, '')}`
}
