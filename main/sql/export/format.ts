import type { Writable } from 'node:stream'
import type { ExportFormat, ResultColumn } from '../../../shared/rpc/contract.ts'
import type { Row } from '../result.ts'

/** What every format is written from: rows come a page at a time, so that none of them holds the result. */
export interface Table {
  columns: readonly ResultColumn[]
  /** How many rows `pages` will give. */
  rows: number
  pages: AsyncIterable<readonly Row[]>
}

/** A format's bytes, in order. Throws a ProblemError where the format can't hold a value: nothing is ever cut to fit. */
export type Encoder = (table: Table) => AsyncIterable<Uint8Array | string>

export interface Format {
  extension: string
  type: string
  encode: Encoder
}

export type Formats = Readonly<Record<ExportFormat, Format>>

/** Writes a chunk and waits while the reader is behind. Rejects when the stream fails or is closed by its reader. */
export function write(stream: Writable, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => (error ? reject(error) : resolve()))
  })
}
