import { RdpError, Reader } from '../frames.ts'
import { context, der, derInteger, readContent, readValue, tag } from './der.ts'
import type { Account } from './ntlm.ts'

/** CredSSP's messages (MS-CSSP 2.2.1). */
export interface TsRequest {
  version: number
  /** NTLM. */
  token?: Buffer
  authInfo?: Buffer
  pubKeyAuth?: Buffer
  /** An NTSTATUS. */
  errorCode?: number
  clientNonce?: Buffer
}

export function writeTsRequest({ version, token, authInfo, pubKeyAuth, clientNonce }: TsRequest): Buffer {
  const octets = (n: number, value: Buffer | undefined): Buffer[] =>
    value === undefined ? [] : [der(context(n), der(tag.octets, value))]
  return der(
    tag.sequence,
    der(context(0), derInteger(version)),
    ...(token === undefined
      ? []
      : [der(context(1), der(tag.sequence, der(tag.sequence, der(context(0), der(tag.octets, token)))))]),
    ...octets(2, authInfo),
    ...octets(3, pubKeyAuth),
    ...octets(5, clientNonce),
  )
}

/** Throws RdpError on what is none. */
export function parseTsRequest(bytes: Buffer): TsRequest {
  const r = new Reader(readContent(new Reader(bytes), tag.sequence))
  const request: TsRequest = { version: integer(readContent(r, context(0))) }
  while (r.left > 0) {
    const { tag: field, content } = readValue(r)
    switch (field) {
      case context(1): {
        const each = new Reader(readContent(new Reader(content), tag.sequence))
        const first = new Reader(readContent(each, tag.sequence))
        request.token = octets(readContent(first, context(0)))
        break
      }
      case context(2):
        request.authInfo = octets(content)
        break
      case context(3):
        request.pubKeyAuth = octets(content)
        break
      case context(4):
        request.errorCode = integer(content)
        break
      case context(5):
        request.clientNonce = octets(content)
        break
      default:
        throw new RdpError('a sign-in message has a field that nobody knows')
    }
  }
  return request
}

/** TSCredentials around TSPasswordCreds. */
export function passwordCredentials({ domain, user, password }: Account): Buffer {
  const text = (n: number, value: string): Buffer => der(context(n), der(tag.octets, Buffer.from(value, 'utf16le')))
  const creds = der(tag.sequence, text(0, domain), text(1, user), text(2, password))
  return der(tag.sequence, der(context(0), derInteger(1)), der(context(1), der(tag.octets, creds)))
}

function octets(content: Buffer): Buffer {
  return readContent(new Reader(content), tag.octets)
}

/** Unsigned, as an NTSTATUS is read. */
function integer(content: Buffer): number {
  const bytes = readContent(new Reader(content), tag.integer)
  if (bytes.length === 0 || bytes.length > 5) throw new RdpError('a number is of an impossible length')
  return bytes.readUIntBE(0, bytes.length) % 2 ** 32
}
