import { createHash, randomBytes } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { parseAnnotation } from '../../../shared/annotation.ts'
import { ed25519Pair } from './key-pair.ts'
import {
  allow,
  block,
  type Door,
  dialTcp,
  emailMask,
  type Host,
  hasOpenSsh,
  hold,
  ssh,
  sshOptions,
  startDoor,
  startHost,
  type TestPort,
  testPort,
  tool,
} from './testing.ts'

const cleanup: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of cleanup.splice(0)) await close()
})

describe.skipIf(!hasOpenSsh)('with a real OpenSSH host', () => {
  let host: Host
  beforeAll(async () => {
    host = await startHost()
  })
  afterAll(() => host?.close())

  async function open(port: TestPort, target: Partial<Host> = {}): Promise<Door> {
    const door = await startDoor({ ...host, ...target }, port)
    cleanup.push(door.close)
    return door
  }

  async function client(door: Door): Promise<ssh2.Client> {
    const connection = new ssh2.Client()
    const sock = await dialTcp(door.port)
    await new Promise<void>((resolve, reject) => {
      connection.once('ready', resolve).on('error', reject).connect({ sock, username: 'anyone', strictVendor: false })
    })
    connection.on('error', () => undefined)
    cleanup.push(async () => {
      connection.end()
    })
    return connection
  }

  function exec(connection: ssh2.Client, command: string, options: ssh2.ExecOptions = {}): Promise<ssh2.ClientChannel> {
    return new Promise((resolve, reject) => {
      connection.exec(command, options, (error, channel) => (error ? reject(error) : resolve(channel)))
    })
  }

  function shell(connection: ssh2.Client, window: ssh2.PseudoTtyOptions = {}): Promise<ssh2.ClientChannel> {
    return new Promise((resolve, reject) => {
      connection.shell(window, (error, channel) => (error ? reject(error) : resolve(channel)))
    })
  }

  /** Collects what comes until `text` is in it. */
  function until(channel: ssh2.ClientChannel, text: string): Promise<string> {
    let seen = ''
    return new Promise((resolve) => {
      const onData = (chunk: Buffer): void => {
        seen += chunk
        if (!seen.includes(text)) return
        channel.off('data', onData)
        resolve(seen)
      }
      channel.on('data', onData)
    })
  }

  function finish(
    channel: ssh2.ClientChannel,
  ): Promise<{ stdout: string; stderr: string; code: number | null; signal: string | undefined }> {
    let stdout = ''
    let stderr = ''
    channel.on('data', (chunk: Buffer) => (stdout += chunk))
    channel.stderr.on('data', (chunk: Buffer) => (stderr += chunk))
    return new Promise((resolve) => {
      channel.on('close', (code: number | null, signal?: string) => resolve({ stdout, stderr, code, signal }))
    })
  }

  test('a command runs; output, stderr and exit code come back apart', async () => {
    const port = testPort()
    const door = await open(port)
    const ran = await ssh(door, ['echo out; echo err >&2; exit 7'])
    expect(ran).toEqual({ code: 7, stdout: Buffer.from('out\n'), stderr: 'err\n' })
    const request = await port.seen('request')
    expect(request).toMatchObject({
      n: 1,
      action: 'ssh:exec',
      text: 'echo out; echo err >&2; exit 7',
      outcome: 'allowed',
    })
    expect(await port.seen('complete')).toMatchObject({ n: 1, ok: false, exitCode: 7 })
    await port.seen('end')
    expect(
      port.events
        .filter((e) => e.type === 'output')
        .map((e) => e.data)
        .join(''),
    ).toBe('out\nerr\n')
  })

  test('the target is asked nothing before policy has said yes', async () => {
    const port = testPort((request) => (request.command?.includes('touch') ? block : allow))
    const door = await open(port)
    const file = join(host.dir, 'touched')
    const ran = await ssh(door, [`touch ${file}`])
    expect(ran.code).toBe(126)
    expect(ran.stderr).toBe(
      'sallyport: Blocked by no-prod-exec: Commands on production are for the on-call. Nothing ran. `sallyport ls` shows what you may do here.\n',
    )
    expect(port.events[0]).toMatchObject({ type: 'request', outcome: 'blocked', policy: { id: 'no-prod-exec' } })
    await expect(stat(file)).rejects.toThrow()
  })

  test('the recording has secrets masked', async () => {
    const port = testPort()
    await ssh(await open(port), ['echo secret123 > /dev/null'])
    expect(await port.seen('request')).toMatchObject({ text: 'echo [redacted] > /dev/null' })
  })

  test('nothing is forwarded when the request cannot be recorded', async () => {
    for (const store of [
      () => {
        throw new Error('disk full')
      },
      () => Promise.reject(new Error('disk full')),
    ]) {
      const port = testPort()
      port.store = store
      const file = join(host.dir, 'unrecorded')
      const ran = await ssh(await open(port), [`touch ${file}`])
      expect(ran.code).toBe(255)
      expect(ran.stderr).toContain('disk full')
      await expect(stat(file)).rejects.toThrow()
    }
  })

  test('a held command says so at once, waits, and runs once approved', async () => {
    const port = testPort(() => hold)
    const door = await open(port)
    const channel = await exec(await client(door), 'cat; echo done')
    const said = new Promise<string>((resolve) =>
      channel.stderr.once('data', (chunk: Buffer) => resolve(String(chunk))),
    )
    // Typed before approval: kept, not lost.
    channel.end('early input\n')
    expect(await said).toContain('Held by ask-first: Production commands need a second pair of eyes. Nothing has run.')
    const held = await port.held()
    expect(held).toMatchObject({ action: 'ssh:exec', text: 'cat; echo done', binding: { account: host.user } })
    const result = finish(channel)
    held.settle({ kind: 'approved', by: ['grace'] })
    expect(await result).toMatchObject({
      stdout: 'early input\ndone\n',
      code: 0,
      stderr: expect.stringContaining('Approved, approved by grace'),
    })
    const order = port.events.map((e) => e.type).filter((type) => type !== 'output')
    expect(order).toEqual(['request', 'decided', 'complete'])
  })

  test.each([
    [{ kind: 'denied', by: 'grace', reason: 'not today' }, 126, 'Denied by grace: not today. Nothing ran.'],
    [{ kind: 'expired' }, 126, 'expired before it was approved'],
  ] as const)('a held command that is not approved does not run: %j', async (outcome, code, words) => {
    const port = testPort(() => hold)
    const file = join(host.dir, 'not-approved')
    const result = finish(await exec(await client(await open(port)), `touch ${file}`))
    ;(await port.held()).settle(outcome)
    expect(await result).toMatchObject({ code, stderr: expect.stringContaining(words) })
    await expect(stat(file)).rejects.toThrow()
    expect(port.events.some((e) => e.type === 'complete')).toBe(false)
  })

  test('an approved command does not run when policy has come to forbid it', async () => {
    const port = testPort(() => hold)
    const result = finish(await exec(await client(await open(port)), 'echo ran'))
    const held = await port.held()
    port.rule = () => block
    held.settle({ kind: 'approved', by: ['grace'] })
    expect(await result).toMatchObject({ stdout: '', code: 126 })
  })

  test('closing, a signal and Ctrl-C in a terminal each cancel a held request', async () => {
    const port = testPort(() => hold)
    const connection = await client(await open(port))
    const acts: ((channel: ssh2.ClientChannel) => void)[] = [
      (c) => c.close(),
      (c) => c.signal('INT'),
      (c) => c.write('\x03'),
    ]
    for (const [i, act] of acts.entries()) {
      const channel = await exec(connection, 'echo ran', i === 2 ? { pty: true } : {})
      const result = finish(channel)
      await port.seen('request', (e) => e.n === i + 1)
      act(channel)
      await port.seen('decided', (e) => e.n === i + 1 && e.outcome === 'cancelled')
      expect(port.holds[i]?.cancelled).toBe(true)
      expect((await result).stdout).not.toContain('ran\n')
    }
  })

  test('a channel opened while another is held is decided and recorded by itself', async () => {
    const port = testPort((request) =>
      request.command === 'first' ? hold : request.command === 'second' ? block : allow,
    )
    const connection = await client(await open(port))
    await exec(connection, 'first')
    await port.held()
    const second = await finish(await exec(connection, 'second'))
    expect(second.code).toBe(126)
    const third = await finish(await exec(connection, 'echo third'))
    expect(third.stdout).toBe('third\n')
    const requests = port.events.filter((e) => e.type === 'request')
    expect(requests.map((e) => [e.text, e.outcome])).toEqual([
      ['first', 'held'],
      ['second', 'blocked'],
      ['echo third', 'allowed'],
    ])
  })

  test('every other channel and global request is refused and recorded', async () => {
    const port = testPort()
    const connection = await client(await open(port))
    await expect(
      new Promise((resolve, reject) =>
        connection.forwardOut('127.0.0.1', 1, '127.0.0.1', host.port, (e, c) => (e ? reject(e) : resolve(c))),
      ),
    ).rejects.toThrow('direct-tcpip is not let through')
    await expect(
      new Promise((resolve, reject) =>
        connection.openssh_forwardOutStreamLocal('/tmp/x', (e, c) => (e ? reject(e) : resolve(c))),
      ),
    ).rejects.toThrow('direct-streamlocal@openssh.com is not let through')
    await expect(
      new Promise((resolve, reject) => connection.forwardIn('127.0.0.1', 0, (e, p) => (e ? reject(e) : resolve(p)))),
    ).rejects.toThrow()
    await expect(
      new Promise((resolve, reject) =>
        connection.openssh_forwardInStreamLocal('/tmp/y', (e) => (e ? reject(e) : resolve(0))),
      ),
    ).rejects.toThrow()
    await expect(exec(connection, 'true', { x11: true })).rejects.toThrow()
    await expect(
      new Promise((resolve, reject) => connection.subsys('netconf', (e, c) => (e ? reject(e) : resolve(c)))),
    ).rejects.toThrow()
    await expect(exec(connection, 'true\0; id')).rejects.toThrow()
    const refused = port.events.filter((e) => e.type === 'request')
    expect(refused.map((e) => e.text)).toEqual([
      `direct-tcpip to 127.0.0.1:${host.port}`,
      'direct-streamlocal@openssh.com',
      'tcpip-forward',
      'streamlocal-forward@openssh.com',
      'X11 forwarding',
      'The subsystem netconf',
      'A command',
    ])
    expect(refused.every((e) => e.outcome === 'blocked' && e.action === 'ssh:forward')).toBe(true)
    expect((await finish(await exec(connection, 'echo still here'))).stdout).toBe('still here\n')
  })

  test('OpenSSH: port and agent forwarding are refused', async () => {
    const port = testPort()
    const door = await open(port)
    const forward = await tool('ssh', [
      ...sshOptions,
      '-o',
      'ExitOnForwardFailure=yes',
      '-R',
      '0:127.0.0.1:1',
      '-p',
      String(door.port),
      'ada@127.0.0.1',
      'true',
    ])
    expect(forward.code).toBe(255)
    const agent = await tool('ssh-agent', [
      'ssh',
      ...sshOptions,
      '-A',
      '-p',
      String(door.port),
      'ada@127.0.0.1',
      'echo [$SSH_AUTH_SOCK]',
    ])
    expect(agent.stdout.toString()).toBe('[]\n')
    expect(agent.stderr).toContain('Agent forwarding was not let through')
  })

  test('a client that never stops asking is shown out', async () => {
    const port = testPort()
    const door = await open(port)
    const connection = await client(door)
    for (let i = 0; i < 150; i += 1) connection.forwardOut('a', 1, 'b', 2, () => undefined)
    expect((await door.sessions[0]?.done)?.reason).toContain('kept asking')
  })

  test('exit signals come through', async () => {
    const port = testPort()
    const result = await finish(await exec(await client(await open(port)), 'kill -TERM $$'))
    expect(result).toMatchObject({ code: null, signal: 'SIGTERM' })
    expect(await port.seen('complete')).toMatchObject({ ok: false, error: 'ended by signal TERM' })
  })

  test('half-close: input ends, output goes on', async () => {
    const channel = await exec(await client(await open(testPort())), 'cat >/dev/null; echo after')
    const result = finish(channel)
    channel.end('input')
    expect(await result).toMatchObject({ stdout: 'after\n', code: 0 })
  })

  test('only harmless variables reach the host', async () => {
    const port = testPort()
    const ran = await finish(
      await exec(await client(await open(port)), 'echo "$LC_TEST|$LD_PRELOAD|$LANG"', {
        env: { LC_TEST: 'yes', LD_PRELOAD: '/tmp/evil.so', LANG: 'C' },
      }),
    )
    expect(ran.stdout).toBe('yes||C\n')
  })

  test('a terminal: size, modes, resize, masks and recording', async () => {
    const port = testPort()
    port.masks = [emailMask()]
    const channel = await shell(await client(await open(port)), { cols: 91, rows: 33, term: 'xterm-256color' })
    const result = finish(channel)
    channel.write("PS1='$ '; stty size; echo $TERM\n")
    await until(channel, 'xterm-256color\r\n')
    channel.setWindow(40, 120, 0, 0)
    channel.write('stty size; printf "mail a%sb.com end\\n" da@\n')
    const seen = await until(channel, 'end\r\n')
    expect(seen).toContain('40 120')
    expect(seen).toContain('mail [email] end')
    channel.write('exit 5\n')
    expect((await result).code).toBe(5)
    expect(port.events.filter((e) => e.type === 'resize').map((e) => [e.cols, e.rows])).toEqual([
      [91, 33],
      [120, 40],
    ])
    expect(await port.seen('masked')).toMatchObject({ classes: { email: 1 }, policy: { id: 'mask-email' } })
    const recorded = port.events
      .filter((e) => e.type === 'output')
      .map((e) => e.data)
      .join('')
    expect(recorded).toContain('33 91')
    expect(recorded).not.toContain('ada@b.com')
    const masked = port.events.findIndex((e) => e.type === 'masked')
    const before = port.events.slice(0, masked).filter((e) => e.type === 'output')
    expect(before.map((e) => e.data).join('')).toMatch(/mail \[email\] end\r\n$/)
    const all = (await result).stdout
    expect(all).toContain('\x1b[2mMasked by mask-email: email is hidden in this output.')
    expect(all).toContain('mail [email] end\r\n\x1b[2mMasked by')
  })

  test('the terminal modes of OpenSSH reach the host', async () => {
    const door = await open(testPort())
    const script = `stty -a`
    const direct = ['-tt', '-p', String(host.port), '-i', join(host.dir, 'user_key'), `${host.user}@127.0.0.1`, script]
    await writeFile(join(host.dir, 'user_key'), host.privateKey, { mode: 0o600 })
    const expected = await tool('ssh', [...sshOptions, ...direct])
    const through = await tool('ssh', [...sshOptions, '-tt', '-p', String(door.port), 'ada@127.0.0.1', script])
    expect(through.stdout.toString()).toBe(expected.stdout.toString())
  })

  test('stdout and stderr of a command are masked, and the person is told once', async () => {
    const port = testPort()
    port.masks = [emailMask()]
    const ran = await ssh(await open(port), ['echo ada@b.com; echo bob@b.com; echo eve@b.com >&2'])
    expect(ran.stdout.toString()).toBe('[email]\n[email]\n')
    expect(ran.stderr).toContain('[email]\n')
    expect(ran.stderr.match(/Masked by mask-email/g)).toHaveLength(1)
  })

  test('what one person may see is recorded as masked for others, from the middle of a line on as well', async () => {
    const port = testPort()
    port.masks = []
    port.recorded = [emailMask()]
    const ran = await ssh(await open(port), ['echo ada@b.com; echo bob@b.com >&2'])
    expect(ran.stdout.toString()).toBe('ada@b.com\n')
    expect(ran.stderr).toContain('bob@b.com\n')
    const output = () => port.events.flatMap((event) => (event.type === 'output' ? [event.data] : [])).join('')
    expect(output()).toContain('[email]\n[email]\n')
    expect(output()).not.toContain('@b.com')

    // A grant begins while a value is half way.
    const granted = testPort()
    granted.masks = [emailMask()]
    const channel = await shell(await client(await open(granted)), {})
    const half = new Promise<void>((resolve) => {
      channel.on('data', (chunk: Buffer) => String(chunk).includes('to eve@') && resolve())
    })
    const result = finish(channel)
    channel.write('stty -echo; printf "to eve%sb" @; read x; printf ".com\\n"; exit\n')
    await half
    granted.recorded = granted.masks
    granted.masks = []
    granted.epoch++
    channel.write('\n')
    expect((await result).stdout).toContain('to eve@b.com')
    const recorded = granted.events.flatMap((event) => (event.type === 'output' ? [event.data] : [])).join('')
    expect(recorded).toContain('to eve@b')
    expect(recorded).not.toContain('eve@b.com')
  })

  test('a target cannot forge a decision', async () => {
    const port = testPort()
    const ran = await ssh(await open(port), [`printf 'a\\033]7717;%s\\007b' "$(printf '{"kind":"allowed"}' | base64)"`])
    expect(ran.stdout.toString()).toBe('ab')
  })

  test('a machine session gets decisions as annotations', async () => {
    const port = testPort((request) => (request.action === 'ssh:exec' ? block : allow))
    port.annotations = 'machine'
    port.masks = [emailMask()]
    const connection = await client(await open(port))
    const blockedRun = await finish(await exec(connection, 'rm -rf /tmp/none'))
    expect(annotations(blockedRun.stderr)).toMatchObject([
      { kind: 'blocked', policy: { id: 'no-prod-exec' }, command: 'rm -rf /tmp/none' },
    ])
    const channel = await shell(connection, {})
    const result = finish(channel)
    channel.write('printf "a%sb.com\\n" da@; exit\n')
    const { stdout } = await result
    expect(annotations(stdout)).toMatchObject([
      { kind: 'masked', count: 1, columns: [{ dataClass: 'email', position: -1 }] },
    ])
  })

  test('the command line of a held request reaches people as written', async () => {
    const port = testPort(() => hold)
    port.annotations = 'machine'
    const channel = await exec(await client(await open(port)), 'rm "a b"')
    const said = new Promise<string>((resolve) =>
      channel.stderr.once('data', (chunk: Buffer) => resolve(String(chunk))),
    )
    expect(annotations(await said)).toMatchObject([
      { kind: 'held', requestId: 'r1', command: 'rm "a b"', approval: { group: 'dba', count: 1 } },
    ])
  })

  test('a shell allowed by a grant ends when the grant does', async () => {
    const port = testPort()
    const channel = await shell(await client(await open(port)), {})
    const result = finish(channel)
    channel.write('echo re""ady\n')
    await until(channel, 'ready')
    port.rule = () => hold
    port.epoch += 1
    expect(await result).toMatchObject({
      code: 126,
      stdout: expect.stringContaining('The grant that allowed it has ended.'),
    })
  })

  test('end tells the person and closes both sides', async () => {
    const port = testPort()
    const door = await open(port)
    const channel = await exec(await client(door), 'echo ready; sleep 60')
    const result = finish(channel)
    await until(channel, 'ready')
    door.sessions[0]?.end('grace ended this session.')
    expect(await result).toMatchObject({ stderr: 'sallyport: grace ended this session.\n', code: 255 })
    expect(await door.sessions[0]?.done).toMatchObject({ reason: 'grace ended this session.', bytesOut: 6 })
    expect(port.events.at(-1)).toMatchObject({ type: 'end', reason: 'grace ended this session.' })
  })

  test('an unknown host key is refused before anything is sent', async () => {
    const port = testPort()
    const door = await open(port, { hostKeys: ['SHA256:AAAA'] })
    const ran = await ssh(door, ['echo hi'])
    expect(ran.code).toBe(255)
    expect(ran.stderr).toContain(`showed the key ${host.hostKeys[0]}, which is not one that this connection trusts`)
    expect(port.events.some((e) => e.type === 'request')).toBe(false)
  })

  test('a host that does not know us, and one that is not there, are told apart', async () => {
    const key = ed25519Pair().private
    expect((await ssh(await open(testPort(), { privateKey: key }), ['true'])).stderr).toContain(
      'did not accept the key',
    )
    expect((await ssh(await open(testPort(), { port: 1 }), ['true'])).stderr).toContain('could not be reached')
  })

  test('RSA and ECDSA keys sign in too', async () => {
    for (const pair of [
      ssh2.utils.generateKeyPairSync('rsa', { bits: 2048 }),
      ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 }),
    ]) {
      const file = join(host.dir, 'authorized_keys')
      await writeFile(file, `${await readFile(file, 'utf8')}${pair.public}\n`)
      expect((await ssh(await open(testPort(), { privateKey: pair.private }), ['echo in'])).stdout.toString()).toBe(
        'in\n',
      )
    }
  })

  test('text that is not UTF-8 passes untouched; the recording replaces it', async () => {
    const port = testPort()
    port.masks = [emailMask()]
    const ran = await ssh(await open(port), ["printf 'a\\377\\303\\n'"])
    expect(ran.stdout).toEqual(Buffer.from([0x61, 0xff, 0xc3, 0x0a]))
    await port.seen('end')
    expect(
      port.events
        .filter((e) => e.type === 'output')
        .map((e) => e.data)
        .join(''),
    ).toBe('a\ufffd\ufffd\n')
  })

  test('50 MB each way through a command, with rekeying', async () => {
    const port = testPort()
    const door = await open(port)
    const data = randomBytes(50_000_000)
    const ran = await tool(
      'ssh',
      [...sshOptions, '-o', 'RekeyLimit=8M', '-p', String(door.port), 'ada@127.0.0.1', 'cat'],
      data,
    )
    expect(ran.code).toBe(0)
    expect(digest(ran.stdout)).toBe(digest(data))
    await port.seen('end')
    const recorded = port.events.filter((e) => e.type === 'output').reduce((sum, e) => sum + e.data.length, 0)
    expect(recorded).toBeLessThan(1_100_000)
    expect(port.events.every((e) => e.type !== 'output' || Buffer.byteLength(e.data) <= 65536)).toBe(true)
    expect(await port.seen('complete')).toMatchObject({ bytes: 50_000_000, exitCode: 0 })
  })

  test('a reader that stops stops the writer: nothing piles up', async () => {
    const port = testPort()
    const channel = await exec(await client(await open(port)), 'head -c 200000000 /dev/zero')
    channel.pause()
    const before = process.memoryUsage().rss
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(process.memoryUsage().rss - before).toBeLessThan(80_000_000)
    channel.close()
  })

  test('scp and sftp move files whole; each file is on the recording', async () => {
    const port = testPort()
    port.masks = [emailMask()]
    const door = await open(port)
    const local = join(host.dir, 'local')
    const data = Buffer.concat([randomBytes(20_000_000), Buffer.from('ada@b.com\n')])
    await writeFile(local, data)
    const there = join(host.dir, 'there')
    const back = join(host.dir, 'back')
    const base = [...sshOptions, '-P', String(door.port)]
    expect(await tool('scp', [...base, local, `ada@127.0.0.1:${there}`])).toMatchObject({ code: 0 })
    expect(digest(await readFile(there))).toBe(digest(data))
    expect(await tool('scp', [...base, `ada@127.0.0.1:${there}`, back])).toMatchObject({ code: 0 })
    expect(digest(await readFile(back))).toBe(digest(data))
    expect(
      await tool(
        'sftp',
        [...base, '-b', '-', 'ada@127.0.0.1'],
        `rename ${there} ${there}2\nrm ${there}2\nrm ${there}3\n`,
      ),
    ).toMatchObject({ code: 1 })
    const requests = port.events.filter((e) => e.type === 'request')
    const told = requests.map((e) => [e.text, e.outcome, port.events.find((c) => c.type === 'complete' && c.n === e.n)])
    expect(told).toMatchObject([
      ['sftp', 'allowed', { exitCode: 0 }],
      [`put ${there}`, 'allowed', { ok: true, bytes: data.length }],
      ['sftp', 'allowed', { exitCode: 0 }],
      [`get ${there}`, 'allowed', { ok: true, bytes: data.length }],
      ['sftp', 'allowed', {}],
      [`mv ${there} ${there}2`, 'allowed', { ok: true }],
      [`rm ${there}2`, 'allowed', { ok: true }],
      [`rm ${there}3`, 'allowed', { ok: false }],
    ])
    expect(port.events.some((e) => e.type === 'output')).toBe(false)
  })

  test('legacy scp is decided as file transfer', async () => {
    const port = testPort((request) => (request.action === 'ssh:sftp' ? block : allow))
    const door = await open(port)
    const local = join(host.dir, 'legacy')
    await writeFile(local, 'x')
    const ran = await tool('scp', ['-O', ...sshOptions, '-P', String(door.port), local, `ada@127.0.0.1:${local}2`])
    expect(ran.code).not.toBe(0)
    expect(ran.stderr).toContain('Blocked by no-prod-exec')
    port.rule = () => allow
    expect(
      await tool('scp', ['-O', ...sshOptions, '-P', String(door.port), local, `ada@127.0.0.1:${local}2`]),
    ).toMatchObject({ code: 0 })
    expect(await readFile(`${local}2`, 'utf8')).toBe('x')
  })

  function annotations(text: string): unknown[] {
    return text
      .split('\x1b]7717;')
      .slice(1)
      .map((part) => parseAnnotation(Buffer.from(part.split('\x1b\\')[0] ?? '', 'base64').toString()))
  }
})

function digest(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}
