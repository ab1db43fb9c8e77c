import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import { type Role, sessionToken } from '../support/access.ts'
import { type Ran, run, which } from '../support/run.ts'
import { askPassEnv, sshOptions } from '../support/ssh.ts'

/** OpenSSH's own client and scp at the native listener. */
const demo = inject('demo')
const withSsh = test.skipIf(which('ssh') === undefined)

async function ssh(role: Role, command: string, extra: readonly string[] = []): Promise<Ran> {
  const token = await sessionToken(demo, role, 'web-1')
  return run('ssh', [...sshOptions, ...extra, '-p', String(token.port), `${token.user}@${token.host}`, command], {
    env: await askPassEnv(token),
  })
}

/** What the host itself prints, with its own key. */
async function onHost(command: string): Promise<string> {
  const url = new URL(demo.targets?.['web-1'] ?? '')
  const ran = await run('ssh', [
    ...sshOptions,
    '-i',
    demo.keys?.['web-1'] ?? '',
    '-p',
    url.port,
    `${url.username}@${url.hostname}`,
    command,
  ])
  return ran.stdout
}

describe('ssh', () => {
  withSsh('runs a command and keeps its output, errors and exit code', async () => {
    const ran = await ssh('engineer', 'echo out; echo err >&2; exit 7')
    expect(ran).toMatchObject({ code: 7, stdout: 'out\n' })
    expect(ran.stderr).toContain('err\n')
  })

  withSsh('masks e-mails, cards and tokens in output, and changes nothing else', async () => {
    const raw = await onHost('cat logs/checkout.log .env')
    const ran = await ssh('engineer', 'cat logs/checkout.log .env')
    expect(ran.code).toBe(0)
    for (const secret of raw.match(/[\w.]+@[\w.]+\.example|sk_live_\w+|\d{4} \d{4} \d{4} \d{4}|AKIA\w{16}/g) ?? [])
      expect(ran.stdout).not.toContain(secret)
    expect(raw.match(/[\w.]+@[\w.]+\.example/g)?.length).toBeGreaterThan(10)
    const quiet = (text: string) => text.split('\n').filter((line) => line.includes('heartbeat'))
    expect(quiet(ran.stdout)).toEqual(quiet(raw))
    expect(ran.stdout.split('\n').length).toBe(raw.split('\n').length)
  })

  withSsh('carries fifty megabytes unchanged', async () => {
    const ran = await ssh(
      'engineer',
      "yes 'nothing to see here' | head -c 50M | sha256sum; yes 'nothing to see here' | head -c 50M",
    )
    const [sum] = ran.stdout.split(' ')
    const { createHash } = await import('node:crypto')
    const body = ran.stdout.slice(ran.stdout.indexOf('\n') + 1)
    expect(createHash('sha256').update(body).digest('hex')).toBe(sum)
  })

  withSsh('gives a pseudo-terminal where one is asked for', async () => {
    const ran = await ssh('engineer', 'test -t 0 && echo terminal', ['-tt'])
    expect(ran.stdout).toContain('terminal')
  })

  withSsh('refuses port forwarding', async () => {
    const token = await sessionToken(demo, 'engineer', 'web-1')
    const ran = await run(
      'ssh',
      [
        ...sshOptions,
        '-o',
        'ExitOnForwardFailure=yes',
        '-W',
        '127.0.0.1:22',
        '-p',
        String(token.port),
        `${token.user}@${token.host}`,
      ],
      { env: await askPassEnv(token) },
    )
    expect(ran.code).not.toBe(0)
    expect(ran.stdout).toBe('')
  })
})

test('a contractor gets no token for the host', async () => {
  await expect(sessionToken(demo, 'contractor', 'web-1')).rejects.toThrow(/contractors/)
})

describe('scp', () => {
  withSsh('copies a file to the host and back', async () => {
    const token = await sessionToken(demo, 'engineer', 'web-1')
    const env = await askPassEnv(token)
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-scp-'))
    const remote = `${token.user}@${token.host}:copied-${process.pid}`
    const up = await run('scp', [...sshOptions, '-P', String(token.port), import.meta.filename, remote], { env })
    expect(up).toMatchObject({ code: 0 })
    const down = await run('scp', [...sshOptions, '-P', String(token.port), remote, join(folder, 'back')], { env })
    expect(down).toMatchObject({ code: 0 })
    expect(await readFile(join(folder, 'back'), 'utf8')).toBe(await readFile(import.meta.filename, 'utf8'))
  })
})
