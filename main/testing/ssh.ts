import ssh2, { type Connection, type ServerChannel } from 'ssh2'
import { fingerprint } from '../terminal/host-key.ts'

export interface SshHost {
  port: number
  hostKey: string
  windows: string[]
  close(): Promise<void>
}

/** ssh2 writes about one in 256 of its Ed25519 keys too short to be read again. */
function hostKey(): { hostPrivate: string; parsed: ssh2.ParsedKey } {
  for (;;) {
    const { private: hostPrivate } = ssh2.utils.generateKeyPairSync('ed25519')
    const parsed = ssh2.utils.parseKey(hostPrivate)
    if (!(parsed instanceof Error)) return { hostPrivate, parsed }
  }
}

/** An SSH host for tests that lets `none` in, as an inspector does in a tunnel. `shell` and `exec` serve channels. */
export async function startSshHost(
  shell: (channel: ServerChannel) => void,
  exec: (channel: ServerChannel, command: string) => void = (channel) => channel.end(),
): Promise<SshHost> {
  const { hostPrivate, parsed } = hostKey()
  const connections = new Set<Connection>()
  const windows: string[] = []
  const server = new ssh2.Server({ hostKeys: [hostPrivate] }, (connection) => {
    connections.add(connection)
    connection.on('error', () => connection.end())
    connection.on('close', () => connections.delete(connection))
    connection.on('authentication', (context) => {
      if (context.method === 'none') context.accept()
      else context.reject()
    })
    connection.on('session', (accept) => {
      const session = accept()
      session.on('pty', (ok, _no, info) => {
        windows.push(`${info.cols}x${info.rows}`)
        ok?.()
      })
      session.on('window-change', (ok, _no, info) => {
        windows.push(`${info.cols}x${info.rows}`)
        ok?.()
      })
      session.on('shell', (ok) => shell(ok()))
      session.on('exec', (ok, _no, info) => exec(ok(), info.command))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the SSH host has no port')
  return {
    port: address.port,
    hostKey: fingerprint(parsed.getPublicSSH()),
    windows,
    async close() {
      for (const connection of connections) connection.end()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
