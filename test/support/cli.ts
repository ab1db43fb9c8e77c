import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Role } from './access.ts'
import type { Ready } from './demo.ts'
import { type Ran, run } from './run.ts'

const main = join(import.meta.dirname, '..', '..', 'cli', 'main.ts')

/** The environment in which `sallyport` is a job with a machine identity. */
export async function machineEnv(demo: Ready, role: Role): Promise<Record<string, string>> {
  const machine = demo.machines[role]
  if (machine === undefined) throw new Error(`no machine for ${role}`)
  return {
    SALLYPORT_HOME: await mkdtemp(join(tmpdir(), 'sallyport-cli-')),
    SALLYPORT_GATEWAY: demo.gateway,
    SALLYPORT_CLIENT_ID: machine.clientId,
    SALLYPORT_CLIENT_SECRET: machine.clientSecret,
  }
}

/** `sallyport …` as a machine, to its end. */
export async function sallyport(
  demo: Ready,
  role: Role,
  args: readonly string[],
  options: { input?: string; timeoutMs?: number } = {},
): Promise<Ran> {
  return run(process.execPath, [main, ...args], { env: await machineEnv(demo, role), ...options })
}
