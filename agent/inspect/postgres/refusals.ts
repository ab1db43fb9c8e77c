import type { Admission } from './asked.ts'
import { Expected, kinds } from './expected.ts'
import type { Outbox } from './frames.ts'
import { expected, type Line } from './line.ts'
import { cstring, frontend, int16, message, messages } from './messages.ts'

/**
 * What stands at the target for a statement that was not forwarded: it fails in every state, before any name is looked
 * up, so that the target answers in order, aborts a transaction and skips to Sync as for any error. Its error is
 * replaced by ours on the way back.
 */
const refused = 'sallyport: refused'
export const refusedName = 'sallyport refused'

/** Of what stands for a Parse: the unnamed statement is replaced, as it would be; others stay as they are. */
export function nameInstead(isUnnamed: boolean): string {
  return isUnnamed ? '' : refusedName
}

/** Puts something that fails in the place of what is not forwarded. */
export class Refusals {
  readonly #line: Line
  readonly #toTarget: Outbox

  constructor(line: Line, toTarget: Outbox) {
    this.#line = line
    this.#toTarget = toTarget
  }

  /** While it was waited for, the target began to skip: it would not answer, whatever was said to it. */
  skipped(admission: Admission): boolean {
    const line = this.#line
    if (!line.skipping) return false
    if (admission.ok) line.notRun(admission.executions, 'skipped after an error')
    return true
  }

  /** Stands for a refused Query or FunctionCall. */
  refuseQuery(error: Buffer): undefined {
    this.#line.expect(expected(kinds.query, error))
    this.#line.endSegment()
    this.#toTarget.push(messages.query(refused))
    return undefined
  }

  /** What does not parse here does not run. The target's own words on it come first; `error` is for what only it can read. */
  unreadable(text: Buffer, error: Buffer, name: string): void {
    const { head, tail } = { head: new Expected(kinds.parse), tail: new Expected(kinds.close) }
    head.hidden = tail.hidden = true
    head.outspoken = true
    this.#line.expect(head)
    this.#line.expect(tail)
    this.#toTarget.push(message(frontend.parse, cstring(name), text, int16(0)))
    this.#toTarget.push(messages.close('S', name))
    this.refuse(error, name)
  }

  /** As `unreadable`, for a Query. */
  unreadableQuery(text: Buffer, error: Buffer): undefined {
    const line = this.#line
    if (line.replicates) return this.refuseQuery(error)
    this.unreadable(text, error, refusedName)
    line.expect(new Expected(kinds.sync))
    line.endSegment()
    this.#toTarget.push(messages.sync)
    return undefined
  }

  /** Stands for a refused message of that type. */
  refuseMessage(type: number, error: Buffer, name: string): undefined {
    return type === frontend.query || type === frontend.functionCall
      ? this.refuseQuery(error)
      : this.refuse(error, name)
  }

  /** Stands for a refused message of the extended protocol. */
  refuse(error: Buffer, name = refusedName): undefined {
    const item = expected(kinds.parse, error)
    item.unnamed = name === ''
    this.#line.expect(item)
    this.#toTarget.push(messages.parse(name, refused))
    return undefined
  }
}
