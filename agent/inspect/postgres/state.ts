import { randomBytes } from 'node:crypto'
import { Expected, kinds } from './expected.ts'
import { FrameError, type Outbox } from './frames.ts'
import { type Line, statuses } from './line.ts'
import { messages } from './messages.ts'
import { decode } from './text/encoding.ts'

/** Asked only where definitions changed: unlike SHOW it takes a snapshot, which those have taken by then. */
const askTemp = `SELECT coalesce((SELECT nspname FROM pg_catalog.pg_namespace
  WHERE oid OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()), '')`

/**
 * Reads search_path, role, how strings are read and the temporary schema of the session itself, between the client's messages.
 * SHOW takes no snapshot and looks nothing up; the extended protocol with a name of our own leaves the client's unnamed statement alone.
 */
export class StateReader {
  readonly #name = `sallyport ${randomBytes(6).toString('hex')}`
  readonly #line: Line
  readonly #toTarget: Outbox
  readonly #flush: () => void

  constructor(line: Line, toTarget: Outbox, flush: () => void) {
    this.#line = line
    this.#toTarget = toTarget
    this.#flush = flush
  }

  /**
   * Resolves when `stateDirty` and `tempDirty` are dealt with. They stay set where nothing can be asked: in a failed transaction,
   * where the target refuses every statement that could use a name, and where an error skipped the question.
   */
  async read(): Promise<void> {
    const line = this.#line
    await line.settled()
    if (line.skipping) return
    if (!line.midSegment && line.status === statuses.failed) return
    for (let attempt = 0; attempt < 2 && line.stateDirty && !line.skipping; attempt++) {
      // What the target reports by itself it reports between segments.
      const reading = line.midSegment
        ? ['SHOW client_encoding', 'SHOW standard_conforming_strings', 'SHOW session_authorization']
        : []
      const [searchPath, role, encoding, conforming, authorized] = await this.#ask([
        'SHOW search_path',
        'SHOW role',
        ...reading,
      ])
      if (searchPath === undefined || role === undefined) continue
      if (encoding !== undefined && conforming !== undefined) {
        line.setReading({ encoding: encoding.toString('latin1'), conforming: conforming.toString('latin1') !== 'off' })
      }
      const session = authorized === undefined ? undefined : this.#text(authorized)
      if (!line.setPath(this.#text(searchPath), this.#text(role), session)) {
        throw new FrameError('the target says a search_path that is none')
      }
    }
    if (!line.tempDirty || line.skipping) return
    const [temp] = await this.#ask([askTemp])
    if (temp !== undefined) line.setTemp(temp.length === 0 ? undefined : this.#text(temp))
  }

  #text(value: Buffer): string {
    const text = decode(value, 0, value.length, this.#line.letters)
    if (text === undefined) {
      throw new FrameError(
        `names on the search_path can not be read in ${this.#line.encoding}: use UTF8, or names in ASCII`,
      )
    }
    return text
  }

  #ask(questions: readonly string[]): Promise<(Buffer | undefined)[]> {
    return this.#line.replicates ? this.#askSimply(questions) : this.#askExtended(questions)
  }

  /** A session for replication does not speak the extended protocol. */
  #askSimply(questions: readonly string[]): Promise<(Buffer | undefined)[]> {
    const line = this.#line
    const answers = questions.map(
      (question) =>
        new Promise<Buffer | undefined>((resolve) => {
          const query = new Expected(kinds.query)
          query.values = []
          query.settled = () => resolve(query.values?.[0] ?? undefined)
          this.#send(messages.query(question), query)
          line.endSegment()
        }),
    )
    this.#flush()
    return Promise.all(answers)
  }

  #askExtended(questions: readonly string[]): Promise<(Buffer | undefined)[]> {
    const line = this.#line
    const alone = !line.midSegment
    return new Promise((resolve) => {
      const answers: (Buffer | undefined)[] = questions.map(() => undefined)
      for (const [i, question] of questions.entries()) {
        this.#send(messages.parse(this.#name, question), new Expected(kinds.parse))
        this.#send(messages.bind(this.#name, this.#name), new Expected(kinds.bind))
        const execute = new Expected(kinds.execute)
        execute.values = []
        execute.settled = (ok) => {
          answers[i] = ok ? (execute.values?.[0] ?? undefined) : undefined
        }
        this.#send(messages.execute(this.#name), execute)
        this.#send(messages.close('P', this.#name), new Expected(kinds.close))
        const close = new Expected(kinds.close)
        if (!alone && i === questions.length - 1) close.settled = () => resolve(answers)
        this.#send(messages.close('S', this.#name), close)
      }
      if (alone) {
        const sync = new Expected(kinds.sync)
        sync.settled = () => resolve(answers)
        this.#send(messages.sync, sync)
        line.endSegment()
      } else {
        this.#toTarget.push(messages.flush)
      }
      this.#flush()
    })
  }

  #send(message: Buffer, item: Expected): void {
    item.hidden = true
    this.#line.expect(item)
    this.#toTarget.push(message)
  }
}
