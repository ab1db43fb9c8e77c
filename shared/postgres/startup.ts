/**
 * The packets of PostgreSQL's start-up phase, which carry no type byte:
 *
 *   length (4, itself included) · code (4) · rest
 *
 *   80877103 SSLRequest   80877104 GSSENCRequest   80877102 CancelRequest: process id (4), secret (4 to 256)
 *   3 << 16 | minor       StartupMessage: name NUL value NUL … NUL
 */
export type StartupPacket =
  | { kind: 'ssl' }
  | { kind: 'gssenc' }
  | { kind: 'cancel'; processId: number; secret: Uint8Array }
  | { kind: 'startup'; minor: number; parameters: ReadonlyMap<string, string> }

export const startupCodes = { cancel: 80_877_102, ssl: 80_877_103, gssenc: 80_877_104 } as const

/** PostgreSQL itself reads no longer start-up packet. */
export const maxStartupBytes = 10_000
/** The newest protocol that is spoken is 3.2, of PostgreSQL 18. */
export const newestMinor = 2
/** Cancel keys have 4 bytes, and up to 256 from protocol 3.2 on. */
export const cancelKeyBytes = { least: 4, most: 256 } as const

/** Why bytes are no start-up packet: who reads them says it in words of their own. */
export type StartupFault =
  | { kind: 'length'; length: number }
  | { kind: 'protocol'; major: number; minor: number }
  | { kind: 'cancel' }
  | { kind: 'parameters' }

export type StartupRead =
  | { kind: 'partial' }
  | { kind: 'fault'; fault: StartupFault }
  /** `size`: bytes of the packet. */
  | { kind: 'whole'; packet: StartupPacket; size: number }

/** Reads the packet that `bytes` begin with. */
export function readStartup(bytes: Uint8Array): StartupRead {
  if (bytes.byteLength < 4) return { kind: 'partial' }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const size = view.getUint32(0)
  if (size < 8 || size > maxStartupBytes) return fault({ kind: 'length', length: size })
  if (bytes.byteLength < size) return { kind: 'partial' }
  const code = view.getUint32(4)
  const whole = (packet: StartupPacket): StartupRead => ({ kind: 'whole', packet, size })
  switch (code) {
    case startupCodes.ssl:
      return whole({ kind: 'ssl' })
    case startupCodes.gssenc:
      return whole({ kind: 'gssenc' })
    case startupCodes.cancel: {
      const length = size - 12
      if (length < cancelKeyBytes.least || length > cancelKeyBytes.most) return fault({ kind: 'cancel' })
      return whole({ kind: 'cancel', processId: view.getInt32(8), secret: bytes.slice(12, size) })
    }
  }
  const [major, minor] = [code >>> 16, code & 0xffff]
  if (major !== 3) return fault({ kind: 'protocol', major, minor })
  const parameters = readParameters(bytes.subarray(8, size))
  return parameters === undefined ? fault({ kind: 'parameters' }) : whole({ kind: 'startup', minor, parameters })
}

function fault(one: StartupFault): StartupRead {
  return { kind: 'fault', fault: one }
}

/** Undefined: they are malformed. */
function readParameters(rest: Uint8Array): ReadonlyMap<string, string> | undefined {
  if (rest.at(-1) !== 0) return undefined
  const parameters = new Map<string, string>()
  const words = new TextDecoder('utf-8', { ignoreBOM: true }).decode(rest.subarray(0, -1)).split('\0')
  // Each pair ends in NUL, so what follows the last is empty.
  if (words.pop() !== '' || words.length % 2 !== 0) return undefined
  for (let i = 0; i < words.length; i += 2) {
    const name = words[i] ?? ''
    // Said twice, one reader would believe the first and another the last.
    if (name === '' || parameters.has(name)) return undefined
    parameters.set(name, words[i + 1] ?? '')
  }
  return parameters
}
