import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import type { Role } from './access.ts'
import type { Ready } from './demo.ts'
import { end } from './run.ts'

const root = join(import.meta.dirname, '..', '..')

const Local = z.object({
  host: z.string(),
  port: z.number(),
  kind: z.string(),
  user: z.string(),
  database: z.string().optional(),
})
type Local = z.infer<typeof Local>

interface LocalEndpoint extends Local {
  close(): Promise<void>
}

/** `sallyport connect`: the local endpoint that native tools use on a person's machine. */
export async function startEndpoint(demo: Ready, role: Role, connection: string): Promise<LocalEndpoint> {
  const machine = demo.machines[role]
  if (machine === undefined) throw new Error(`no machine for ${role}`)
  const child = spawn(
    process.execPath,
    [join(root, 'cli', 'main.ts'), 'connect', connection, '--port', '0', '--json'],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        SALLYPORT_GATEWAY: demo.gateway,
        SALLYPORT_CLIENT_ID: machine.clientId,
        SALLYPORT_CLIENT_SECRET: machine.clientSecret,
      },
    },
  )
  if (child.stdout === null) throw new Error('no stdout')
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  return { ...Local.parse(JSON.parse(String(line))), close: () => end(child) }
}
