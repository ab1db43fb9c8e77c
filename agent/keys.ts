import { createHash, createHmac, createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import ssh2 from 'ssh2'
import { ed25519Pair } from './inspect/ssh/key-pair.ts'

/** The agent's own secrets, kept in its data folder and readable by nobody else. */
export interface AgentKeys {
  /** OpenSSH private key text: who the SSH inspector is to its clients. */
  hostKey: string
  /** `SHA256:…`, as ssh-keygen prints it. */
  hostKeyFingerprint: string
  /** HMAC-SHA256 in hex with the mask key: the same value gives the same hash for as long as the key is kept. */
  hash(value: string): string
  /** Who the RDP inspector is to its clients: PEM. */
  rdp: RdpIdentity
}

export interface RdpIdentity {
  key: string
  certificate: string
  /** SHA-256 of the certificate (DER), `AA:BB:…`. */
  fingerprint: string
}

/** Reads the keys, or makes them on the first start. Rejects when a key file is there but is none: a new one would go unnoticed. */
export async function loadKeys(dataDir: string): Promise<AgentKeys> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const hostKeyFile = join(dataDir, 'ssh_host_ed25519_key')
  const hostKey = await readOrMake(hostKeyFile, () => ed25519Pair().private)
  const rdpFile = join(dataDir, 'rdp.pem')
  const maskKeyFile = join(dataDir, 'mask.key')
  const maskKey = Buffer.from(await readOrMake(maskKeyFile, () => `${randomBytes(32).toString('hex')}\n`), 'hex')
  if (maskKey.length !== 32) throw new Error(`${maskKeyFile} is not a mask key: it should hold 64 hex digits`)
  return {
    hostKey,
    hostKeyFingerprint: fingerprint(hostKeyFile, hostKey),
    hash: (value) => createHmac('sha256', maskKey).update(value).digest('hex'),
    rdp: rdpIdentity(rdpFile, await readOrMake(rdpFile, makeRdpIdentity)),
  }
}

/** RSA, because older Windows clients take nothing else; its name is shown where a client asks people about it. */
async function makeRdpIdentity(): Promise<string> {
  const made = await generate([{ name: 'commonName', value: 'Sallyport' }], {
    keySize: 2048,
    algorithm: 'sha256',
    notAfterDate: new Date(Date.now() + 10 * 365 * 24 * 3600 * 1000),
  })
  return `${made.private.trim()}\n${made.cert.trim()}\n`
}

/** A file with a private key and the certificate for it. */
function rdpIdentity(file: string, pem: string): RdpIdentity {
  const at = pem.indexOf('-----BEGIN CERTIFICATE-----')
  const [key, certificate] = [pem.slice(0, Math.max(at, 0)), pem.slice(at)]
  try {
    const parsed = new X509Certificate(certificate)
    if (!parsed.checkPrivateKey(createPrivateKey(key))) throw new Error('its key is of another certificate')
    return { key, certificate, fingerprint: parsed.fingerprint256 }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(`${file} is not a certificate with its key: ${why}`, { cause: error })
  }
}

function fingerprint(file: string, key: string): string {
  const parsed = ssh2.utils.parseKey(key)
  if (parsed instanceof Error) throw new Error(`${file} is not an SSH private key: ${parsed.message}`)
  return `SHA256:${createHash('sha256').update(parsed.getPublicSSH()).digest('base64').replace(/=+$/, '')}`
}

/** A file is there whole or not at all, whatever happens while it is written; the first of two writers wins. */
async function readOrMake(file: string, make: () => string | Promise<string>): Promise<string> {
  try {
    const text = await readFile(file, 'utf8')
    await chmod(file, 0o600)
    return text
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  const text = await make()
  const draft = `${file}.${randomBytes(4).toString('hex')}`
  try {
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, file)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
  return text
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
