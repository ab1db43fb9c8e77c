import { FrameError, readInt32 } from './frames.ts'
import type { Letters } from './text/charsets/charset.ts'
import { isAscii } from './text/encoding.ts'

/**
 * Bodies of the messages that the inspector reads or writes itself. Layouts, after type and length:
 *
 *   Q Query        text\0                          P Parse   name\0 text\0 n:int16 (type:int32)*
 *   B Bind         portal\0 statement\0 n:int16 (format:int16)* n:int16 (length:int32 bytes)* n:int16 (format:int16)*
 *   D Describe, C Close   'S'|'P' name\0            E Execute portal\0 limit:int32
 *   T RowDescription      n:int16 (name\0 table:int32 attnum:int16 type:int32 size:int16 modifier:int32 format:int16)*
 *   E ErrorResponse, N NoticeResponse   (code:byte text\0)* \0
 *   C CommandComplete     tag\0                     Z ReadyForQuery  'I'|'T'|'E'
 *   K BackendKeyData      pid:int32 secret:4 bytes  S ParameterStatus  name\0 value\0
 *   G/H CopyIn/OutResponse  format:byte n:int16 (format:int16)*
 */
export const frontend = {
  bind: 0x42,
  close: 0x43,
  copyData: 0x64,
  copyDone: 0x63,
  copyFail: 0x66,
  describe: 0x44,
  execute: 0x45,
  flush: 0x48,
  functionCall: 0x46,
  parse: 0x50,
  /** PasswordMessage, SASLInitialResponse, SASLResponse, GSSResponse. */
  password: 0x70,
  query: 0x51,
  sync: 0x53,
  terminate: 0x58,
} as const

export const backend = {
  authentication: 0x52,
  backendKeyData: 0x4b,
  bindComplete: 0x32,
  closeComplete: 0x33,
  commandComplete: 0x43,
  copyBothResponse: 0x57,
  copyData: 0x64,
  copyDone: 0x63,
  copyInResponse: 0x47,
  copyOutResponse: 0x48,
  dataRow: 0x44,
  emptyQuery: 0x49,
  error: 0x45,
  functionCallResponse: 0x56,
  negotiateProtocolVersion: 0x76,
  noData: 0x6e,
  notice: 0x4e,
  notification: 0x41,
  parameterDescription: 0x74,
  parameterStatus: 0x53,
  parseComplete: 0x31,
  portalSuspended: 0x73,
  readyForQuery: 0x5a,
  rowDescription: 0x54,
} as const

/** One message: type, then the parts as its body. */
export function message(type: number, ...parts: readonly Buffer[]): Buffer {
  let length = 4
  for (const part of parts) length += part.length
  const out = Buffer.allocUnsafe(length + 1)
  out[0] = type
  out.writeInt32BE(length, 1)
  let at = 5
  for (const part of parts) at += part.copy(out, at)
  return out
}

export function cstring(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'utf8')
}

export function int16(value: number): Buffer {
  const out = Buffer.allocUnsafe(2)
  out.writeInt16BE(value)
  return out
}

export function int32(value: number): Buffer {
  const out = Buffer.allocUnsafe(4)
  out.writeInt32BE(value)
  return out
}

/** Offset of the next zero byte, which must lie before `end`. */
export function zeroAt(buf: Buffer, from: number, end: number): number {
  let at = from
  while (at < end && buf[at] !== 0) at++
  if (at >= end) throw new FrameError('a string without its end')
  return at
}

export interface ParseMessage {
  name: string
  /** Where the text lies in the buffer that was read: it is decoded by the session's client_encoding. */
  textStart: number
  textEnd: number
}

/** Says what the name `buf[start, end)` of a statement or portal is at the target. */
export type ReadName = (buf: Buffer, start: number, end: number) => string

/** `start` and `end` are those of the whole message in all readers below. */
export function readParse(buf: Buffer, start: number, end: number, read: ReadName): ParseMessage {
  const nameEnd = zeroAt(buf, start + 5, end)
  const textEnd = zeroAt(buf, nameEnd + 1, end)
  return { name: nameEnd === start + 5 ? '' : read(buf, start + 5, nameEnd), textStart: nameEnd + 1, textEnd }
}

export interface BindMessage {
  portal: string
  statement: string
  /** Where the parameter formats begin: see `Bound`. */
  parametersAt: number
}

export function readBind(buf: Buffer, start: number, end: number, read: ReadName): BindMessage {
  const portalEnd = zeroAt(buf, start + 5, end)
  const statementEnd = zeroAt(buf, portalEnd + 1, end)
  return {
    portal: portalEnd === start + 5 ? '' : read(buf, start + 5, portalEnd),
    statement: statementEnd === portalEnd + 1 ? '' : read(buf, portalEnd + 1, statementEnd),
    parametersAt: statementEnd + 1,
  }
}

export interface NamedTarget {
  kind: 'S' | 'P'
  name: string
}

/** Describe and Close. */
export function readNamed(buf: Buffer, start: number, end: number, read: ReadName): NamedTarget {
  const kind = buf[start + 5]
  const nameEnd = zeroAt(buf, start + 6, end)
  if (kind !== 0x53 && kind !== 0x50) throw new FrameError('neither a statement nor a portal is named')
  return {
    kind: kind === 0x53 ? 'S' : 'P',
    name: nameEnd === start + 6 ? '' : read(buf, start + 6, nameEnd),
  }
}

export function readExecute(
  buf: Buffer,
  start: number,
  end: number,
  read: ReadName,
): { portal: string; limit: number } {
  const nameEnd = zeroAt(buf, start + 5, end)
  const portal = nameEnd === start + 5 ? '' : read(buf, start + 5, nameEnd)
  return { portal, limit: int32At(buf, nameEnd + 1, end) }
}

export interface Field {
  name: string
  /** 0 when the column is no table's. */
  tableOid: number
  attnum: number
  typeOid: number
  /** As far as the description knows: a statement's is told before a portal says which format it wants. */
  binary: boolean
}

export function readRowDescription(buf: Buffer, start: number, end: number): Field[] {
  const count = int16At(buf, start + 5, end)
  const fields: Field[] = []
  let pos = start + 7
  for (let i = 0; i < count; i++) {
    const nameEnd = zeroAt(buf, pos, end)
    if (nameEnd + 19 > end) throw new FrameError('a row description that ends too early')
    fields.push({
      name: buf.toString('utf8', pos, nameEnd),
      tableOid: buf.readUInt32BE(nameEnd + 1),
      attnum: buf.readInt16BE(nameEnd + 5),
      typeOid: buf.readUInt32BE(nameEnd + 7),
      binary: buf.readInt16BE(nameEnd + 17) === 1,
    })
    pos = nameEnd + 19
  }
  if (pos !== end) throw new FrameError('a row description with bytes left over')
  return fields
}

/** Fields of an ErrorResponse or NoticeResponse by their one-letter codes, in order. */
export function readFields(buf: Buffer, start: number, end: number, letters?: Letters): Map<string, string> {
  const fields = new Map<string, string>()
  let pos = start + 5
  while (pos < end && buf[pos] !== 0) {
    const valueEnd = zeroAt(buf, pos + 1, end)
    const text = letters?.decode(buf, pos + 1, valueEnd) ?? buf.toString('utf8', pos + 1, valueEnd)
    fields.set(String.fromCharCode(buf[pos] as number), text)
    pos = valueEnd + 1
  }
  return fields
}

export function writeFields(type: number, fields: Iterable<readonly [string, string]>, letters?: Letters): Buffer {
  let text = ''
  for (const [code, value] of fields) text += `${code}${value.replaceAll('\0', '')}\0`
  return message(type, letters?.encode(`${text}\0`) ?? Buffer.from(`${text}\0`, 'utf8'))
}

/** A notice or error of our own, in the letters of the client. */
export function inLetters(written: Buffer, letters: Letters | undefined): Buffer {
  if (letters === undefined || isAscii(written, 5, written.length)) return written
  const out: Buffer[] = []
  // One or several.
  for (let at = 0; at < written.length; ) {
    const end = at + 1 + readInt32(written, at + 1)
    out.push(writeFields(written[at] ?? 0, readFields(written, at, end), letters))
    at = end
  }
  return Buffer.concat(out)
}

/** Every SQLSTATE that an error or notice gives, without building the map: of several, each client believes another one. */
export function sqlstatesOf(buf: Buffer, start: number, end: number): string[] {
  const codes: string[] = []
  let pos = start + 5
  while (pos < end && buf[pos] !== 0) {
    const valueEnd = zeroAt(buf, pos + 1, end)
    if (buf[pos] === 0x43) codes.push(buf.toString('latin1', pos + 1, valueEnd))
    pos = valueEnd + 1
  }
  return codes
}

/** Rows that a command tag counts (`SELECT 5`, `INSERT 0 3`); undefined for tags without a number. */
export function rowsOf(buf: Buffer, start: number, end: number): number | undefined {
  let pos = end - 2
  let rows = 0
  let scale = 1
  while (pos > start + 5) {
    const digit = (buf[pos] as number) - 0x30
    if (digit < 0 || digit > 9) break
    rows += digit * scale
    scale *= 10
    pos--
  }
  return scale > 1 && buf[pos] === 0x20 ? rows : undefined
}

export function readParameterStatus(buf: Buffer, start: number, end: number): [name: string, value: string] {
  const nameEnd = zeroAt(buf, start + 5, end)
  return [buf.toString('utf8', start + 5, nameEnd), buf.toString('utf8', nameEnd + 1, zeroAt(buf, nameEnd + 1, end))]
}

/** First field of a DataRow as text; null when it is NULL or there is none. */
export function firstValue(buf: Buffer, start: number, end: number): Buffer | null {
  if (int16At(buf, start + 5, end) < 1) return null
  const length = int32At(buf, start + 7, end)
  if (length < 0) return null
  if (start + 11 + length > end) throw new FrameError('a field that is longer than its row')
  return Buffer.from(buf.subarray(start + 11, start + 11 + length))
}

export function int16At(buf: Buffer, at: number, end: number): number {
  if (at + 2 > end) throw new FrameError('a message that ends too early')
  return buf.readUInt16BE(at)
}

export function int32At(buf: Buffer, at: number, end: number): number {
  if (at + 4 > end) throw new FrameError('a message that ends too early')
  return readInt32(buf, at)
}

export const messages = {
  parse: (name: string, text: string) => message(frontend.parse, cstring(name), cstring(text), int16(0)),
  bind: (portal: string, statement: string) =>
    message(frontend.bind, cstring(portal), cstring(statement), int16(0), int16(0), int16(0)),
  describe: (kind: 'S' | 'P', name: string) => message(frontend.describe, Buffer.from(kind), cstring(name)),
  execute: (portal: string) => message(frontend.execute, cstring(portal), int32(0)),
  close: (kind: 'S' | 'P', name: string) => message(frontend.close, Buffer.from(kind), cstring(name)),
  query: (text: string) => message(frontend.query, cstring(text)),
  sync: message(frontend.sync),
  flush: message(frontend.flush),
  terminate: message(frontend.terminate),
  authenticationOk: message(backend.authentication, int32(0)),
  readyForQuery: (status: number) => message(backend.readyForQuery, Buffer.from([status])),
  parameterStatus: (name: string, value: string) => message(backend.parameterStatus, cstring(name), cstring(value)),
  backendKeyData: (processId: number, secret: Uint8Array) =>
    message(backend.backendKeyData, int32(processId), Buffer.from(secret)),
} as const
