import { randomBytes } from 'node:crypto'
import { Expected, kinds } from './expected.ts'
import type { Outbox } from './frames.ts'
import { type Line, statuses } from './line.ts'
import { messages } from './messages.ts'

/**
 * Reads search_path and role of the session itself, between the client's messages. SHOW takes no snapshot and looks
 * nothing up; the extended protocol with a name of our own leaves the client's unnamed statement alone.
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
   * Resolves when `stateDirty` is dealt with. It stays set where nothing can be asked: in a failed transaction,
   * where the target refuses every statement that could use a name, and where an error skipped the question.
   */
  async read(): Promise<void> {
    const line = this.#line
    await line.settled()
    if (!line.stateDirty || line.skipping) return
    if (!line.midSegment && line.status === statuses.failed) return
    for (let attempt = 0; attempt < 2 && line.stateDirty && !line.skipping; attempt++) {
      const [searchPath, role] = await this.#ask(['search_path', 'role'])
      if (searchPath === undefined || role === undefined) continue
      if (!line.setPath(searchPath, role)) throw new Error(`search_path is not readable: ${searchPath}`)
    }
  }

  #ask(settings: readonly string[]): Promise<(string | undefined)[]> {
    const line = this.#line
    const alone = !line.midSegment
    return new Promise((resolve) => {
      const answers: (string | undefined)[] = settings.map(() => undefined)
      for (const [i, setting] of settings.entries()) {
        this.#send(messages.parse(this.#name, `SHOW ${setting}`), new Expected(kinds.parse))
        this.#send(messages.bind(this.#name, this.#name), new Expected(kinds.bind))
        const execute = new Expected(kinds.execute)
        execute.values = []
        execute.settled = (ok) => {
          answers[i] = ok ? (execute.values?.[0] ?? undefined) : undefined
        }
        this.#send(messages.execute(this.#name), execute)
        this.#send(messages.close('P', this.#name), new Expected(kinds.close))
        const close = new Expected(kinds.close)
        if (!alone && i === settings.length - 1) close.settled = () => resolve(answers)
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
