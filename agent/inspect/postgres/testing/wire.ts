import { once } from 'node:events'
import { connect } from 'node:net'
import { sqlstates } from '../../../../shared/annotation.ts'
import { FrameScanner, NONE } from '../frames.ts'
import { cstring, frontend, int16, int32, message, messages, readFields } from '../messages.ts'
import { writeCancel, writeStartup } from '../start/startup.ts'

/** Messages as a client without manners sends them: all at once. */
export const say = {
  ...messages,
  startup: writeStartup([
    ['user', 'ada'],
    ['database', 'orders-db'],
  ]),
  bindTo: (portal: string, statement: string, ...values: string[]) =>
    message(
      frontend.bind,
      cstring(portal),
      cstring(statement),
      int16(0),
      int16(values.length),
      ...values.flatMap((value) => [int32(Buffer.byteLength(value)), Buffer.from(value)]),
      int16(0),
    ),
  executeRows: (portal: string, limit: number) => message(frontend.execute, cstring(portal), int32(limit)),
  copyData: (text: string) => message(frontend.copyData, Buffer.from(text)),
  copyDone: message(frontend.copyDone),
  copyFail: (why: string) => message(frontend.copyFail, cstring(why)),
  /** Formats: 0 text, 1 binary. */
  bindBinary: (statement: string, ...values: Buffer[]) =>
    message(
      frontend.bind,
      cstring(''),
      cstring(statement),
      int16(1),
      int16(1),
      int16(values.length),
      ...values.flatMap((value) => [int32(value.length), value]),
      int16(1),
      int16(1),
    ),
  call: (oid: number, ...values: string[]) =>
    message(
      frontend.functionCall,
      int32(oid),
      int16(0),
      int16(values.length),
      ...values.flatMap((value) => [int32(Buffer.byteLength(value)), Buffer.from(value)]),
      int16(0),
    ),
}

/** Sends `script` behind a StartupMessage in one write, and reads until the other side closes. */
export async function talk(port: number, script: readonly Buffer[], startup = say.startup): Promise<Heard[]> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.write(Buffer.concat([startup, ...script, say.terminate]))
  await once(socket, 'close')
  return hear(Buffer.concat(chunks))
}

/** A CancelRequest with a `pg.Client`'s own key, over a connection of its own; resolves when the other side has closed that. */
export async function cancelAt(client: object, port: number): Promise<void> {
  const [processId, secret] = [Number(Reflect.get(client, 'processID')), Number(Reflect.get(client, 'secretKey'))]
  const socket = connect({ port, host: '127.0.0.1' })
  socket.end(writeCancel(processId, int32(secret)))
  socket.resume()
  await once(socket, 'close')
}

export interface Heard {
  type: string
  /** The message as it came. */
  bytes: Buffer
}

export function hear(bytes: Buffer): Heard[] {
  const scanner = new FrameScanner(() => 'whole')
  scanner.push(bytes)
  const out: Heard[] = []
  while (scanner.next() !== NONE) {
    out.push({ type: String.fromCharCode(scanner.type), bytes: scanner.buf.subarray(scanner.start, scanner.end) })
  }
  return out
}

/**
 * Types after the first ReadyForQuery, with the SQLSTATE of errors and notices and the values of rows; without how long each took,
 * which is said beside everything that completes.
 */
export function summary(heard: readonly Heard[]): string[] {
  const ready = heard.findIndex((one) => one.type === 'Z')
  const said = heard.slice(ready + 1).map(({ type, bytes }) => {
    if (type === 'E' || type === 'N') return `${type} ${readFields(bytes, 0, bytes.length).get('C')}`
    if (type === 'C') return `C ${bytes.toString('latin1', 5, bytes.length - 1)}`
    if (type === 'Z') return `Z ${bytes.toString('latin1', 5)}`
    if (type === 'D') return `D ${values(bytes).join('|')}`
    if (type === 'd') return `d ${bytes.toString('utf8', 5).trimEnd()}`
    return type
  })
  return said.filter((one) => one !== `N ${sqlstates.timed}`)
}

function values(row: Buffer): string[] {
  const out: string[] = []
  let at = 7
  for (let i = row.readInt16BE(5); i > 0; i--) {
    const length = row.readInt32BE(at)
    out.push(length < 0 ? 'NULL' : row.toString('utf8', at + 4, at + 4 + length))
    at += 4 + Math.max(length, 0)
  }
  return out
}
