import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cancelStatement, openSession, type ResultLimits, ResultStore, type Row, SqlSession } from '../main/client.ts'
import type { Connection } from '../shared/api/models.ts'
import type { RunEvent } from '../shared/rpc/contract.ts'
import { workWords } from '../shared/sql/transaction.ts'
import type { Caller } from './context.ts'
import { decisionExit, decisionLine } from './decisions.ts'
import { exit, exitCodeOf } from './exit.ts'
import { csv, printable, say, table, write } from './output.ts'

export type SqlFormat = 'table' | 'csv'

/** All rows go to the output, so nothing is cut; what the reader has not taken yet waits in a file. */
const limits: ResultLimits = {
  rows: Number.POSITIVE_INFINITY,
  size: Number.POSITIVE_INFINITY,
  memory: 8 * 1024 * 1024,
  free: 0,
}
const block = 1000

/** Runs SQL, statement by statement, to the first that fails. Rows to stdout, the rest to stderr. Resolves with the exit code. */
export async function execSql(who: Caller, connection: Connection, text: string, format: SqlFormat): Promise<number> {
  const spool = await mkdtemp(join(tmpdir(), 'sallyport-exec-'))
  const session = new SqlSession({
    dial: async (signal) =>
      (await who.confirmed((me) => openSession(me, connection.name, { door: 'cli', annotations: 'machine' }, signal)))
        .stream,
    cancel: (key) => who.confirmed((me) => cancelStatement(me, connection.name, key)),
    user: (await who.person()).id,
    database: connection.database ?? connection.name,
    newResult: () => new ResultStore(spool, limits),
  })
  let interrupted = false
  const interrupt = (): void => {
    interrupted = true
    session.cancel().catch((error: unknown) => say(`sallyport: ${String(error)}`))
  }
  process.once('SIGINT', interrupt)
  try {
    const printer = new Printer(session, format)
    let code: number = exit.done
    for await (const event of session.run({ text, start: 0, end: text.length, stopOnError: true })) {
      code = (await handle(event, printer)) ?? code
    }
    return interrupted ? 130 : code
  } finally {
    process.off('SIGINT', interrupt)
    await session.close()
    await rm(spool, { recursive: true, force: true })
  }
}

/** Shows one event; returns the exit code that it settles. A decision comes before the error that ends its statement. */
async function handle(event: RunEvent, printer: Printer): Promise<number | undefined> {
  switch (event.type) {
    case 'annotation': {
      const line = decisionLine(event.annotation)
      if (line !== '') say(`sallyport: ${line}`)
      printer.decided = decisionExit(event.annotation)
      return undefined
    }
    case 'notice':
      say(printable(`${event.severity}: ${event.message}`))
      if (event.detail !== undefined) say(printable(`DETAIL: ${event.detail}`))
      if (event.hint !== undefined) say(printable(`HINT: ${event.hint}`))
      return undefined
    case 'columns':
      await printer.begin(
        event.result,
        event.columns.map((c) => c.name),
      )
      return undefined
    case 'progress':
      await printer.upTo(event.rows)
      return undefined
    case 'complete':
      await printer.end()
      if (event.tag !== '') say(event.tag)
      return undefined
    case 'error': {
      await printer.end()
      // A decision was said already, in its own words.
      if (printer.decided === undefined) {
        say(printable(`ERROR: ${event.message}`))
        if (event.detail !== undefined) say(printable(`DETAIL: ${event.detail}`))
        if (event.hint !== undefined) say(printable(`HINT: ${event.hint}`))
      }
      if (printer.decided !== undefined) return printer.decided
      return event.problem === undefined ? exit.failed : exitCodeOf(event.problem.code)
    }
    case 'statement':
      printer.decided = undefined
      return undefined
    case 'ended':
      if (event.work !== 'none') say(workWords[event.work])
      return undefined
    case 'transaction':
    case 'server':
    case 'done':
      return undefined
    default:
      return event satisfies never
  }
}

/** Writes the rows of one result after another, as they come. */
class Printer {
  decided: number | undefined
  private readonly session: SqlSession
  private readonly format: SqlFormat
  private result: string | undefined
  private columns: readonly string[] = []
  private printed = 0

  constructor(session: SqlSession, format: SqlFormat) {
    this.session = session
    this.format = format
  }

  async begin(result: string, columns: readonly string[]): Promise<void> {
    // Told again when masks arrive late: it is the same result.
    if (result === this.result) return
    await this.end()
    this.result = result
    this.columns = columns
    this.printed = 0
    if (this.format === 'csv') await write(csv(columns))
  }

  /** In a table the first block settles the widths, so it waits until it is whole. */
  async upTo(rows: number): Promise<void> {
    const whole = this.format === 'csv' ? rows : rows - (rows % block)
    while (this.printed < whole) await this.print(Math.min(this.printed + block, whole))
  }

  private async print(to: number): Promise<void> {
    const store = this.result === undefined ? undefined : this.session.result(this.result)
    const rows = (await store?.window(this.printed, to)) ?? []
    if (this.format === 'csv') await write(rows.map(csv).join(''))
    else
      await write(table(this.printed === 0 ? this.columns.map(printable) : this.columns.map(() => ''), rows.map(cells)))
    this.printed = to
  }

  async end(): Promise<void> {
    if (this.result === undefined) return
    const store = this.session.result(this.result)
    const rows = store?.kept ?? 0
    if (this.format === 'table' && rows === 0) await write(table(this.columns.map(printable), []))
    while (this.printed < rows) await this.print(Math.min(this.printed + block, rows))
    const { result } = this
    this.result = undefined
    await this.session.release(result)
  }
}

function cells(row: Row): string[] {
  return row.map((cell) => (cell === null ? 'NULL' : printable(cell).replaceAll('\n', '↵')))
}
