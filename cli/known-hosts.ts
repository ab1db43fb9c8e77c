import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { connectSsh, fail, openSession, readIfPresent, writeAtomic } from '../main/client.ts'
import { isHostKey } from '../main/terminal/host-key.ts'
import type { Connection } from '../shared/api/models.ts'
import { type Caller, home } from './context.ts'

/**
 * A known_hosts file that holds the one key that the gateway vouches for. The gateway names the key by its fingerprint; the key itself
 * is had by connecting once, verified, and kept for the next time. `stream` is a session that was opened and not used: the first
 * SSH client may have it.
 */
export async function knownHosts(
  who: Caller,
  connection: Connection,
): Promise<{ file: string; alias: string; stream: Duplex | undefined; close(): Promise<void> }> {
  const how = { door: 'cli', annotations: 'text' } as const
  const session = await who.confirmed((me) => openSession(me, connection.name, how))
  const { hostKey } = session
  if (hostKey === undefined) {
    session.stream.destroy()
    throw fail('failed', 'The gateway named no host key, so the SSH session can not be verified.')
  }
  const cache = join(home(), 'cli', 'host-keys', createHash('sha256').update(who.info.url).digest('hex'))
  const kept = Buffer.from((await readIfPresent(cache)) ?? '', 'base64')
  const usable = isHostKey(kept, hostKey)
  const key = usable ? kept : await seenKey(session.stream, await who.person().then((p) => p.id), hostKey)
  if (!usable) await writeAtomic(cache, key.toString('base64'))
  const alias = `sallyport-${new URL(who.info.url).host}`
  const dir = await mkdtemp(join(tmpdir(), 'sallyport-ssh-'))
  const file = join(dir, 'known_hosts')
  await writeAtomic(file, `${alias} ${keyType(key)} ${key.toString('base64')}\n`)
  return {
    file,
    alias,
    stream: usable ? session.stream : undefined,
    close: () => rm(dir, { recursive: true, force: true }),
  }
}

/** Connects once, only to see the key; a key of another fingerprint is refused. */
async function seenKey(stream: Duplex, user: string, hostKey: string): Promise<Buffer> {
  let seen: Buffer | undefined
  const client = await connectSsh({ stream, user, hostKey, onHostKey: (key) => (seen = key) })
  client.end()
  if (seen === undefined) throw fail('failed', 'The SSH server showed no host key.')
  return seen
}

/** An SSH public key begins with its type, as a string with a 32-bit length. */
function keyType(key: Buffer): string {
  return key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1')
}
