import type { Duplex } from 'node:stream'
import { serialize } from 'pg-protocol'
import {
  BackendKeyDataMessage,
  type BackendMessage,
  CommandCompleteMessage,
  CopyDataMessage,
  DatabaseError,
  DataRowMessage,
  NoticeMessage,
  NotificationResponseMessage,
  ParameterStatusMessage,
  ReadyForQueryMessage,
  RowDescriptionMessage,
} from 'pg-protocol/dist/messages.js'
import { Parser } from 'pg-protocol/dist/parser.js'
import type { TransactionState } from '../../shared/rpc/editor.ts'
import type { Row } from './result.ts'

/** A NOTICE or ERROR of the server. `position` counts characters from 1. */
export interface ServerWords {
  severity: string
  message: string
  sqlstate: string
  detail?: string
  hint?: string
  position?: number
}

/** What the server says, as far as a client that runs simple queries needs it. */
export type ServerMessage =
  | { type: 'auth-ok' }
  | { type: 'auth-wanted' }
  | { type: 'key'; processId: number; secret: Buffer }
  | { type: 'parameter'; name: string; value: string }
  | { type: 'ready'; transaction: TransactionState }
  | { type: 'columns'; columns: readonly { name: string; typeOid: number }[] }
  | { type: 'row'; row: Row }
  | { type: 'complete'; tag: string }
  | { type: 'empty' }
  | { type: 'notice'; words: ServerWords }
  | { type: 'error'; words: ServerWords }
  | { type: 'copy-in' }
  | { type: 'copy-out' }
  | { type: 'copy-data'; chunk: Buffer }
  | { type: 'notification'; channel: string; payload: string }

/**
 * The PostgreSQL protocol over a stream. `onMessage` is called in order; `onEnd` once, with the error if there was one: bytes that are
 * no protocol are one.
 */
export class Wire {
  private readonly stream: Duplex
  private failure: Error | undefined
  private ended = false

  constructor(stream: Duplex, onMessage: (message: ServerMessage) => void, onEnd: (error?: Error) => void) {
    this.stream = stream
    const parser = new Parser()
    const end = (): void => {
      if (this.ended) return
      this.ended = true
      onEnd(this.failure)
    }
    stream.on('data', (chunk: Buffer) => {
      try {
        parser.parse(chunk, (message) => {
          const known = translate(message)
          if (known !== undefined) onMessage(known)
        })
      } catch (error) {
        stream.destroy(error instanceof Error ? error : new Error(String(error)))
      }
    })
    stream.on('error', (error) => {
      this.failure = error
    })
    stream.on('end', end)
    stream.on('close', end)
  }

  startup(user: string, database: string): void {
    this.stream.write(serialize.startup({ user, database, application_name: 'sallyport' }))
  }

  query(text: string): void {
    this.stream.write(serialize.query(text))
  }

  /** One statement with values for its `$1`, `$2`, …, whose types the server infers. */
  queryWith(text: string, values: readonly (string | null)[]): void {
    this.stream.write(
      Buffer.concat([
        serialize.parse({ text }),
        serialize.bind({ values: [...values] }),
        serialize.describe({ type: 'P' }),
        serialize.execute({}),
        serialize.sync(),
      ]),
    )
  }

  copyFail(reason: string): void {
    this.stream.write(serialize.copyFail(reason))
  }

  pause(): void {
    this.stream.pause()
  }

  resume(): void {
    this.stream.resume()
  }

  /** Says goodbye and closes. */
  end(): void {
    if (this.stream.writable) this.stream.end(serialize.end())
    else this.stream.destroy()
  }

  destroy(error?: Error): void {
    this.stream.destroy(error)
  }
}

/** Status byte of ReadyForQuery. */
const states: Readonly<Record<string, TransactionState>> = { I: 'none', T: 'open', E: 'failed' }

function translate(message: BackendMessage | DatabaseError): ServerMessage | undefined {
  if (message instanceof DataRowMessage) return { type: 'row', row: message.fields }
  if (message instanceof RowDescriptionMessage) {
    return { type: 'columns', columns: message.fields.map((f) => ({ name: f.name, typeOid: f.dataTypeID })) }
  }
  if (message instanceof CommandCompleteMessage) return { type: 'complete', tag: message.text }
  if (message instanceof NoticeMessage) return { type: 'notice', words: words(message) }
  if (message instanceof DatabaseError) return { type: 'error', words: words(message) }
  if (message instanceof CopyDataMessage) return { type: 'copy-data', chunk: message.chunk }
  if (message instanceof BackendKeyDataMessage) {
    const secret = Buffer.alloc(4)
    secret.writeInt32BE(message.secretKey)
    return { type: 'key', processId: message.processID, secret }
  }
  if (message instanceof NotificationResponseMessage) {
    return { type: 'notification', channel: message.channel, payload: message.payload }
  }
  if (message instanceof ParameterStatusMessage) {
    return { type: 'parameter', name: message.parameterName, value: message.parameterValue }
  }
  if (message instanceof ReadyForQueryMessage) return { type: 'ready', transaction: states[message.status] ?? 'none' }
  switch (message.name) {
    case 'authenticationOk':
      return { type: 'auth-ok' }
    case 'authenticationCleartextPassword':
    case 'authenticationMD5Password':
    case 'authenticationSASL':
      return { type: 'auth-wanted' }
    case 'emptyQuery':
      return { type: 'empty' }
    case 'copyInResponse':
      return { type: 'copy-in' }
    case 'copyOutResponse':
      return { type: 'copy-out' }
    default:
      return undefined
  }
}

function words(from: NoticeMessage | DatabaseError): ServerWords {
  const { severity, message, code, detail, hint } = from
  const position = Number(from.position)
  return {
    severity: severity ?? '',
    message: message ?? '',
    sqlstate: code ?? '',
    ...(detail === undefined ? {} : { detail }),
    ...(hint === undefined ? {} : { hint }),
    ...(Number.isInteger(position) && position > 0 ? { position } : {}),
  }
}
