import { isLogged, neutralise } from './annotations.ts'
import { type Expected, kinds } from './expected.ts'
import type { Outbox } from './frames.ts'
import type { Line } from './line.ts'
import { inLetters, readFields } from './messages.ts'
import { maskedNotification } from './notification.ts'
import { mayBeOvertaken } from './overtaken.ts'
import { isOwn } from './settling.ts'

/** Code that is new to what was decided may say anything. */
const unsaid = {
  redact: () => 'What this says is not shown: definitions that it stands on may have changed since it was decided on.',
}

/** What the target says beside results: notices, errors and notifications, which may quote values and look like decisions. */
export class Words {
  /** A statement of this transaction touched what is masked: errors that come at its end may quote it. */
  touched = false
  readonly #line: Line
  readonly #toClient: Outbox

  constructor(line: Line, toClient: Outbox) {
    this.#line = line
    this.#toClient = toClient
  }

  /** Passes a NoticeResponse on, without values. */
  notice(buf: Buffer, start: number, end: number): void {
    const line = this.#line
    const head = line.queue.peek()
    const stale = head?.current !== undefined && mayBeOvertaken(line, head.current)
    const scrub = stale ? unsaid : this.#scrubs(head) ? line.port : undefined
    // What the server logs of how it ran a statement tells of the values: how long they were, how many it kept.
    if (scrub !== undefined && isLogged(buf, start, end)) return
    this.#pass(neutralise(buf, start, end, scrub, line.foreign), buf, start, end)
  }

  /** Passes a NotificationResponse on, with what is sensitive in it masked. */
  notification(buf: Buffer, start: number, end: number): void {
    const line = this.#line
    this.#pass(maskedNotification(buf, start, end, line.port.textMasks(), line.foreign), buf, start, end)
  }

  /** Passes an ErrorResponse on, or says ours in its place. `head`: what it answers. `reason`: for the record. */
  error(buf: Buffer, start: number, end: number, head: Expected | undefined): { fatal: boolean; reason: string } {
    const line = this.#line
    const fields = readFields(buf, start, end, line.foreign)
    const severity = fields.get('V') ?? fields.get('S')
    const fatal = severity === 'FATAL' || severity === 'PANIC'
    const ours = fatal ? undefined : (head?.error ?? head?.current?.withheld)
    const overtaken = head?.current?.overtaken !== undefined
    const scrub = overtaken || this.#scrubs(head) || this.#isAboutMasked(fields)
    const swallowed = head !== undefined && isOwn(line, head) && !fatal
    if (!swallowed) {
      const safe =
        ours === undefined
          ? neutralise(buf, start, end, overtaken ? unsaid : scrub ? line.port : undefined, line.foreign)
          : inLetters(ours, line.foreign)
      this.#pass(safe, buf, start, end)
    }
    const said = scrub || this.#conceals(head) ? '' : line.port.redact(fields.get('M') ?? '')
    return { fatal, reason: `${fields.get('C') ?? ''} ${said}`.trim() }
  }

  /** Whoever ran it may see what the error quotes; who reads the record may not. */
  #conceals(head: Expected | undefined): boolean {
    const { concealing, meaning } = this.#line
    return head?.executions.some(({ judged }) => concealing.conceals(judged, meaning)) === true
  }

  #pass(safe: Buffer | undefined, buf: Buffer, start: number, end: number): void {
    if (safe === undefined) this.#toClient.add(buf, start, end)
    else this.#toClient.push(safe)
  }

  #scrubs(head: Expected | undefined): boolean {
    if (this.touched || head?.current?.run.scrub === true) return true
    return head !== undefined && (head.executions.some(({ run }) => run.scrub) || this.#plans(head))
  }

  /** Binding plans a statement, which computes what is constant in it: code that it calls has run by then. */
  #plans({ kind, judged }: Expected): boolean {
    if (kind !== kinds.bind || judged === undefined) return false
    const { judge, meaning } = this.#line
    if (meaning === undefined) return true
    const verdict = judge.judge(judged, meaning, this.#line)
    return verdict.kind === 'block' || verdict.run.scrub
  }

  /** What a foreign key changes in another table fails with that table's rows. */
  #isAboutMasked(fields: ReadonlyMap<string, string>): boolean {
    const { judge, meaning } = this.#line
    const table = fields.get('t')
    if (table === undefined) return false
    return meaning === undefined || judge.hidesIn(fields.get('s') ?? '', table, meaning)
  }
}
