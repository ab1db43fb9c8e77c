import { createServer } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { PostgresTarget } from '../start/tls.ts'
import { dialTarget } from './door.ts'

/** For tests only: a self-signed certificate of `target.test`, and its key. */
export const certificate = `-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUUwM2EhuKSRJC3r4dDDihWjWVMCgwCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLdGFyZ2V0LnRlc3QwIBcNMjYxMTIzMTkxNTQ5WhgPMjEyNjEw
MzAxOTE1NDlaMBYxFDASBgNVBAMMC3RhcmdldC50ZXN0MFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEdmSP5H7OKEzPGLNZ/HxU+AIURX0/7XtxQQ3HJXY+0FdhwOHc
NmyAVICZHZ43yLkouskEPSgpSow7AFCB18km/6NrMGkwHQYDVR0OBBYEFKPi+sSY
NyTxoWUUkkeKI8UuLedJMB8GA1UdIwQYMBaAFKPi+sSYNyTxoWUUkkeKI8UuLedJ
MA8GA1UdEwEB/wQFMAMBAf8wFgYDVR0RBA8wDYILdGFyZ2V0LnRlc3QwCgYIKoZI
zj0EAwIDSQAwRgIhAJl0jEAChZ5rmX2JHwia2YIknQaGwGeLOCaCvJXY8V0vAiEA
5+fGoW8wp+ZeA5BqsnYEUt8way/ZfD8uTx2VeyaIq4g=
-----END CERTIFICATE-----
`
export const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgKek77ADNavzBGHDo
cp6YxKVaetyc4F4S4YYQknzlKPChRANCAAR2ZI/kfs4oTM8Ys1n8fFT4AhRFfT/t
e3FBDccldj7QV2HA4dw2bIBUgJkdnjfIuSi6yQQ9KClKjDsAUIHXySb/
-----END PRIVATE KEY-----
`

/** A target that answers SSLRequest with S and speaks TLS, in front of one that does not. `extra` follows the S in the clear. */
export async function startTlsFront(
  target: PostgresTarget,
  extra = Buffer.alloc(0),
): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.pause()
      socket.write(Buffer.concat([Buffer.from('S'), extra]))
      const encrypted = new TLSSocket(socket, { isServer: true, key, cert: certificate })
      encrypted.on('error', () => {})
      dialTarget(target).then(
        (plain) => {
          plain.on('error', () => {})
          encrypted.pipe(plain).pipe(encrypted)
          encrypted.on('close', () => plain.destroy())
        },
        () => socket.destroy(),
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: address !== null && typeof address === 'object' ? address.port : 0,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
