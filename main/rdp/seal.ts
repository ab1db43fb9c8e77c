import { spawn } from 'node:child_process'
import { fail } from '../problem.ts'

/** Seals standard input for this Windows user and prints it as hex, the form that `password 51:b:` takes (DPAPI over UTF-16LE). */
const script =
  '$s = ConvertTo-SecureString -AsPlainText -Force ([Console]::In.ReadLine()); [Console]::Out.Write((ConvertFrom-SecureString $s))'

/** Encrypts a password with the person's own Windows key (DPAPI). It goes in by standard input: arguments can be read by others. */
export function sealPassword(password: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('powershell.exe', ['-NoProfile', '-NonInteractive', '-Command', script], {
      stdio: ['pipe', 'pipe', 'ignore'],
      windowsHide: true,
      timeout: 15_000,
    })
    let sealed = ''
    child.stdout.on('data', (chunk: Buffer) => {
      sealed += chunk.toString('latin1')
    })
    child.once('error', reject)
    child.once('close', (code) => {
      const text = sealed.trim()
      if (code === 0 && /^[0-9a-f]+$/i.test(text)) resolve(text)
      else reject(fail('failed', 'Windows could not seal the one-time password (DPAPI), so no desktop was started.'))
    })
    child.stdin.on('error', reject)
    child.stdin.end(`${password}\n`)
  })
}
