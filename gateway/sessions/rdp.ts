import { hkdfSync } from 'node:crypto'
import type { RdpCredential } from '../../shared/link.ts'

/** Without letters and digits that are taken for each other: people may have to type it. 32 of them, so no bias. */
const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789'

/**
 * What a launched RDP client signs in with: derived from the ticket, so that it is known when the ticket is given and again
 * when it is spent, and nothing more is stored. 35 bits of user name, 160 of password.
 */
export function rdpCredential(ticket: string): RdpCredential {
  const bytes = Buffer.from(hkdfSync('sha256', ticket, '', 'sallyport rdp credential', 39))
  const text = [...bytes].map((byte) => alphabet[byte % 32] ?? '').join('')
  return { username: `sp${text.slice(0, 7)}`, password: text.slice(7) }
}
