/** What of this machine the desktop may reach. The gateway enforces it; the file only keeps programs from offering what is refused. */
export interface Redirections {
  clipboard: boolean
  drives: boolean
  printers: boolean
  audio: boolean
}

export interface RdpFileOptions {
  host: string
  port: number
  /** The one-time name: it is in the program's first packet too, and lets it in at the endpoint. */
  user: string
  redirections: Redirections
  /** Windows only: the password as DPAPI ciphertext in hex, readable by this person on this machine. */
  sealedPassword?: string
}

/** A `.rdp` file, as mstsc, Windows App and FreeRDP read it: lines `name:type:value`. It holds no password in the clear. */
export function rdpFile(options: RdpFileOptions): string {
  const { host, port, user, redirections, sealedPassword } = options
  const on = (allowed: boolean): string => (allowed ? '1' : '0')
  const lines = [
    `full address:s:${host}:${port}`,
    `username:s:${user}`,
    // The gateway signs in at the desktop; between here and the gateway it is TLS and the one-time password.
    'enablecredsspsupport:i:0',
    'negotiate security layer:i:1',
    'prompt for credentials:i:0',
    'promptcredentialonce:i:1',
    // The listener is ours and the tunnel behind it is verified. Programs that can, check the certificate too (see plan.ts).
    'authentication level:i:0',
    'gatewayusagemethod:i:0',
    // The password is good once: coming back is a new session.
    'autoreconnection enabled:i:0',
    'dynamic resolution:i:1',
    'smart sizing:i:1',
    'session bpp:i:32',
    `redirectclipboard:i:${on(redirections.clipboard)}`,
    `drivestoredirect:s:${redirections.drives ? '*' : ''}`,
    `redirectprinters:i:${on(redirections.printers)}`,
    `audiomode:i:${redirections.audio ? '0' : '2'}`,
    'audiocapturemode:i:0',
    'redirectcomports:i:0',
    'redirectsmartcards:i:0',
    'redirectposdevices:i:0',
    'redirectwebauthn:i:0',
    'devicestoredirect:s:',
    'usbdevicestoredirect:s:',
    'camerastoredirect:s:',
    ...(sealedPassword === undefined ? [] : [`password 51:b:${sealedPassword}`]),
  ]
  return `${lines.join('\r\n')}\r\n`
}
