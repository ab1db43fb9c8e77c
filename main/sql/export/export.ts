import { finished } from 'node:stream/promises'
import type { ExportEvent, ExportFormat } from '../../../shared/rpc/contract.ts'
import { fail, messageOf, ProblemError } from '../../problem.ts'
import { AsyncQueue } from '../../queue.ts'
import type { SavedFile, Saver, SaveTarget } from '../../save.ts'
import type { ResultStore, Row } from '../result.ts'
import { encodeCsv } from './csv.ts'
import { type Formats, write } from './format.ts'
import { encodeJson } from './json.ts'
import { encodeXlsx } from './xlsx.ts'

const formats: Formats = {
  csv: { extension: 'csv', type: 'text/csv; charset=utf-8', encode: encodeCsv },
  json: { extension: 'json', type: 'application/json; charset=utf-8', encode: encodeJson },
  xlsx: {
    extension: 'xlsx',
    type: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    encode: encodeXlsx,
  },
}

export interface ExportRequest {
  store: ResultStore
  format: ExportFormat
  /** A name for the file, without extension; what a file name can't hold is taken out. */
  name: string
  /** The person knows that rows of the result were not kept, and wants those that were. */
  partial: boolean
  saver: Saver
}

/**
 * Writes a whole result to a file, as events; leaving them, or `signal`, cancels. The file is there when all of it is, and not at
 * all otherwise. Throws a ProblemError where the result is not whole, or the format can't hold it.
 */
export async function* exportResult(
  request: ExportRequest,
  signal?: AbortSignal,
): AsyncGenerator<ExportEvent, void, void> {
  const { store, partial, saver } = request
  if (!store.complete) {
    throw fail('conflict', 'The result is still coming in.', { hint: 'Export it when it is complete, or cancel it.' })
  }
  if (store.cut !== undefined && !partial) {
    throw fail('conflict', `The result has ${store.seen.toLocaleString('en')} rows; ${store.cut}.`, {
      hint: 'Narrow the statement, or export the rows that are kept.',
    })
  }
  if (store.stopped && !partial) {
    const message = `The result was stopped after ${store.kept.toLocaleString('en')} rows.`
    throw fail('conflict', message, { hint: 'Run it again, or export the rows that are here.' })
  }
  const { extension, type, encode } = formats[request.format]
  const total = store.kept
  // A part of a result is called one by its file as well, which others get to see without these words.
  const whole = store.cut === undefined && !store.stopped
  const name = whole ? request.name : `${request.name.slice(0, 40)}, first ${total} rows only`
  yield* saved({ name: fileName(name, extension), type }, saver, total, signal, (count) => {
    return encode({ columns: store.columns, rows: total, pages: counted(store.scan(), count) })
  })
}

export interface CellRequest {
  store: ResultStore
  row: number
  column: number
  saver: Saver
}

/** Writes one value to a file, as events: the bytes of a bytea, else its text. */
export async function* exportCell(
  { store, row, column, saver }: CellRequest,
  signal?: AbortSignal,
): AsyncGenerator<ExportEvent, void, void> {
  const [cells] = await store.window(row, row + 1)
  const value = cells?.[column]
  const about = store.columns[column]
  if (value === undefined || value === null || about === undefined)
    throw fail('bad-input', 'There is no value to save.')
  const binary = about.type === 'bytea' && about.masked === undefined && value.startsWith('\\x')
  const bytes = binary ? Buffer.from(value.slice(2), 'hex') : Buffer.from(value)
  const name = fileName(`${about.name} row ${row + 1}`, binary ? 'bin' : 'txt')
  const type = binary ? 'application/octet-stream' : 'text/plain; charset=utf-8'
  yield* saved({ name, type }, saver, 1, signal, async function* (count) {
    yield bytes
    count(1)
  })
}

type Chunks = (count: (rows: number) => void) => AsyncIterable<Uint8Array | string>

async function* counted(
  pages: AsyncIterable<readonly Row[]>,
  count: (rows: number) => void,
): AsyncGenerator<readonly Row[], void, void> {
  for await (const page of pages) {
    yield page
    count(page.length)
  }
}

/** Saves `total` rows of chunks where the person says. */
async function* saved(
  file: SavedFile,
  saver: Saver,
  total: number,
  signal: AbortSignal | undefined,
  chunks: Chunks,
): AsyncGenerator<ExportEvent, void, void> {
  const target = await saver(file)
  if (target === undefined) {
    yield { type: 'dismissed' }
    return
  }
  const queue = new AsyncQueue<ExportEvent>()
  const abort = new AbortController()
  const work = save(chunks, total, target, abort.signal, (event) => {
    if (event.type !== 'progress' || !queue.mergeLast((last) => (last.type === 'progress' ? event : undefined)))
      queue.push(event)
  }).finally(() => queue.end())
  // Awaited below, but maybe later than it fails.
  work.catch(() => {})
  try {
    yield* queue.until(signal)
    if (!signal?.aborted) await work
  } finally {
    abort.abort()
    await work.catch((error: unknown) => {
      // Cancelling it is how it was made to fail; any other failure has been thrown above.
      if (!(error instanceof ProblemError)) throw error
    })
  }
}

/** A plain name: what not every file system takes is left out. */
function fileName(name: string, extension: string): string {
  const plain = name
    .replace(/[^\p{L}\p{N} ,._-]+/gu, '')
    .replace(/^[.\s]+/, '')
    .trim()
    .slice(0, 80)
  return `${plain === '' ? 'result' : plain}.${extension}`
}

async function save(
  chunks: Chunks,
  total: number,
  target: SaveTarget,
  signal: AbortSignal,
  emit: (event: ExportEvent) => void,
): Promise<void> {
  let rows = 0
  let bytes = 0
  const count = (more: number): void => {
    rows += more
  }
  try {
    if (target.offer !== undefined) emit({ type: 'offer', path: target.offer })
    emit({ type: 'progress', rows, total, bytes })
    const stream = await untilAborted(target.open(), signal)
    // A stream that fails says so to the write that waits, or to `finished`; without a listener it would end the process.
    stream.on('error', () => {})
    try {
      for await (const chunk of chunks(count)) {
        signal.throwIfAborted()
        const encoded = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
        await write(stream, encoded)
        bytes += encoded.length
        emit({ type: 'progress', rows, total, bytes })
      }
      if (rows !== total) throw fail('session-ended', 'The result was closed while it was written.')
      stream.end()
      await finished(stream)
    } catch (error) {
      stream.destroy()
      throw error
    }
    signal.throwIfAborted()
    emit({ type: 'done', rows, bytes, file: await target.commit() })
  } catch (error) {
    await target.discard()
    if (error instanceof ProblemError) throw error
    if (signal.aborted) throw fail('failed', 'The export was cancelled. Nothing was saved.')
    throw fail('failed', `The export could not be written: ${messageOf(error)}. Nothing was saved.`, { cause: error })
  }
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
