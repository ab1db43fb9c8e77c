import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { fingerprint } from './keys.ts'
import type { HostSetup } from './setup.ts'

/** For machines without OpenSSH: an SSH server with the same real shell behind it. No SFTP. */
export async function startBuiltIn(setup: HostSetup): Promise<{ port: number; close(): Promise<void> }> {
  const allowed = fingerprint(setup.clientKey.public)
  const clients = new Set<ssh2.Connection>()
  const server = new ssh2.Server({ hostKeys: [setup.hostKey.private] }, (connection) => {
    clients.add(connection)
    connection.on('close', () => clients.delete(connection))
    connection.on('error', () => connection.end())
    connection.on('authentication', (context) => {
      const known =
        context.method === 'publickey' &&
        context.username === setup.user &&
        fingerprint(`- ${context.key.data.toString('base64')}`) === allowed
      if (!known) return context.reject(['publickey'])
      if (context.signature === undefined || context.blob === undefined) return context.accept()
      const key = ssh2.utils.parseKey(setup.clientKey.public)
      if (key instanceof Error) return context.reject()
      if (key.verify(context.blob, context.signature, context.hashAlgo) === true) context.accept()
      else context.reject(['publickey'])
    })
    connection.on('session', (accept) => serveSession(accept(), setup))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP address')
  return {
    port: address.port,
    close: async () => {
      for (const client of clients) client.end()
      server.close()
      await once(server, 'close')
    },
  }
}

function serveSession(session: ssh2.Session, setup: HostSetup): void {
  let terminal: { cols: number; rows: number } | undefined
  session.on('pty', (accept, _reject, info) => {
    terminal = { cols: info.cols, rows: info.rows }
    accept()
  })
  session.on('window-change', (accept) => accept?.())
  session.on('shell', (accept) => attach(accept(), start(setup, '', terminal)))
  session.on('exec', (accept, _reject, info) => attach(accept(), start(setup, info.command, terminal)))
}

/** A pseudo-terminal comes from util-linux's `script`, which every Linux and macOS has. */
function start(setup: HostSetup, command: string, terminal: { cols: number; rows: number } | undefined): ChildProcess {
  const enter = join(setup.home, 'enter')
  const env = { ...process.env, SSH_ORIGINAL_COMMAND: command, TERM: 'xterm-256color' }
  const options = { env, cwd: setup.home, ...(setup.account ?? {}) }
  if (terminal === undefined) return spawn(enter, [], options)
  return spawn(
    'script',
    ['-qefc', `stty cols ${terminal.cols} rows ${terminal.rows}; exec ${enter}`, '/dev/null'],
    options,
  )
}

function attach(channel: ssh2.ServerChannel, child: ChildProcess): void {
  child.stdout?.pipe(channel, { end: false })
  child.stderr?.pipe(channel.stderr, { end: false })
  if (child.stdin !== null) channel.pipe(child.stdin)
  child.stdin?.on('error', () => channel.end())
  channel.on('close', () => child.kill('SIGHUP'))
  child.on('error', () => {
    channel.exit(127)
    channel.end()
  })
  child.on('close', (code, signal) => {
    if (code !== null) channel.exit(code)
    else if (signal !== null) channel.exit(signal)
    channel.end()
  })
}
