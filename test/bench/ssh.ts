import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { sessionToken } from '../support/access.ts'
import type { Ready } from '../support/demo.ts'
import { startEndpoint } from '../support/endpoint.ts'
import { which } from '../support/run.ts'
import { askPassEnv, sshOptions } from '../support/ssh.ts'
import { inTurn, median, type Row } from './stats.ts'

const megabytes = 256
/** Log-like text without anything to mask: what a person's `cat` of a big file is. */
const command = `yes '2026-10-14T13:10:49Z INFO worker heartbeat queue ok, nothing to see here' | head -c ${megabytes}M`

/** Bulk output over SSH: the host itself, the native listener, and the local endpoint. */
export async function benchSsh(demo: Ready): Promise<Row[]> {
  if (which('ssh') === undefined) throw new Error('this benchmark needs ssh')
  const url = new URL(demo.targets?.['web-1'] ?? '')
  const key = demo.keys?.['web-1'] ?? ''
  const local = await startEndpoint(demo, 'engineer', 'web-1')
  try {
    const measured = await inTurn(
      {
        direct: () => bulk(['-i', key, '-p', url.port, `${url.username}@${url.hostname}`], {}),
        native: async () => {
          const token = await sessionToken(demo, 'engineer', 'web-1')
          return bulk(
            ['-o', 'PreferredAuthentications=password', '-p', String(token.port), `${token.user}@${token.host}`],
            await askPassEnv(token),
          )
        },
        endpoint: () => bulk(['-p', String(local.port), `${local.user}@${local.host}`], {}),
      },
      3,
    )
    const base = median(measured.direct)
    return Object.entries(measured).map(([way, figures]) => {
      const value = median(figures)
      const row: Row = { what: `SSH bulk, ${megabytes} MiB of text`, way, value, unit: 'MiB/s' }
      return way === 'direct' ? row : { ...row, ratio: value / base, against: 'direct' }
    })
  } finally {
    await local.close()
  }
}

/** MiB a second of what arrives; fails when not all of it does. */
async function bulk(args: readonly string[], env: Record<string, string>): Promise<number> {
  const began = performance.now()
  const child = spawn('ssh', [...sshOptions, '-o', 'Compression=no', ...args, command], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  let bytes = 0
  const said: string[] = []
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()))
  await once(child, 'close')
  if (bytes !== megabytes * 1024 * 1024) throw new Error(`ssh brought ${bytes} bytes: ${said.join('')}`)
  return megabytes / ((performance.now() - began) / 1000)
}
