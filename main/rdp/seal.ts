import { spawn } from 'node:child_process'
import { fail } from '../problem.ts'
import { sealOf } from './plan.ts'
import type { InstalledProgram } from './programs.ts'

/** Seals standard input for this Windows user and prints it as hex, the form that `password 51:b:` takes (DPAPI over UTF-16LE). */
const script =
  '$s = ConvertTo-SecureString -AsPlainText -Force ([Console]::In.ReadLine()); [Console]::Out.Write((ConvertFrom-SecureString $s))'

interface Sealer {
  command: string
  args: readonly string[]
  /** Finds the sealed password in what was printed. */
  found(output: string): string | undefined
  /** Who it is, for people. */
  name: string
}

/**
 * The password as the program takes it out of its file, which holds it so that only this person, on this machine, can read it. It goes to who seals it by
 * standard input: arguments can be read by others. Undefined where the program needs none. Rejects with a ProblemError.
 */
export async function sealPassword(
  program: InstalledProgram,
  password: string,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const by = sealOf(program)
  switch (by) {
    case undefined:
      return undefined
    case 'dpapi':
      return seal(dpapi, password, env)
    case 'remmina':
      return seal({ ...remmina, command: program.path }, password, env)
    default:
      return by satisfies never
  }
}

const dpapi: Sealer = {
  command: 'powershell.exe',
  args: ['-NoProfile', '-NonInteractive', '-Command', script],
  found: (output) => /^[0-9a-f]+$/i.exec(output.trim())?.[0],
  name: 'Windows (DPAPI)',
}

/** With the key that Remmina keeps for this person. */
const remmina: Omit<Sealer, 'command'> = {
  args: ['--encrypt-password'],
  found: (output) => /^Encrypted password: ([A-Za-z0-9+/=]+)$/m.exec(output)?.[1],
  name: 'Remmina',
}

function seal({ command, args, found, name }: Sealer, password: string, env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    const failed = (cause?: unknown): void =>
      reject(fail('failed', `${name} could not seal the one-time password, so no desktop was started.`, { cause }))
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'ignore'],
      windowsHide: true,
      timeout: 15_000,
      env,
      // Without a terminal of its own it can't ask there instead of reading what it is given.
      detached: process.platform !== 'win32',
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('latin1')
    })
    child.once('error', failed)
    child.once('close', () => {
      const text = found(output)
      if (text === undefined) failed()
      else resolve(text)
    })
    child.stdin.on('error', failed)
    child.stdin.end(`${password}\n`)
  })
}
