import type { Catalog } from './analysis.ts'
import type { RowMasker } from './mask/rows.ts'
import type { Write } from './names.ts'
import type { Judged } from './statements.ts'
import type { Run } from './verdict.ts'

/** What the target still has to answer, in order. */
export const kinds = {
  parse: 1,
  bind: 2,
  close: 3,
  describe: 4,
  execute: 5,
  sync: 6,
  query: 7,
  /** No answer: where the client ended COPY data in the extended protocol. */
  copyDone: 8,
} as const
export type Kind = (typeof kinds)[keyof typeof kinds]

const text: readonly number[] = []

/** One run of one statement: on the recording, forwarded, and not completed yet. */
export class Execution {
  readonly judged: Judged
  readonly run: Run
  /** Number of the request on the recording. */
  readonly n: number
  readonly startedAt: number
  readonly gatewayMs: number
  /** The definitions that were known when it was decided on. */
  readonly decidedOn: Catalog | undefined
  /** They were compared with those that its result stands on. */
  compared = false
  /** What changed by then. */
  overtaken: string | undefined
  /** Names that it changes once the target confirms it. */
  writes: readonly Pick<Write<unknown>, 'confirm' | 'discard'>[] = []
  rows = 0
  began = false
  masker: RowMasker | undefined
  copyingIn = false
  /** Said in place of its result, which is not what was decided on. */
  withheld: Buffer | undefined
  /** A replication command: any number of results and streams, until the target is ready again. */
  replicates: { readonly allowed: boolean } | undefined
  /** See `resultFormats`: of a portal, where masks depend on them. */
  formats: readonly number[] = text

  constructor(
    judged: Judged,
    run: Run,
    n: number,
    { startedAt, gatewayMs, decidedOn }: { startedAt: number; gatewayMs: number; decidedOn: Catalog | undefined },
  ) {
    this.judged = judged
    this.run = run
    this.n = n
    this.startedAt = startedAt
    this.gatewayMs = gatewayMs
    this.decidedOn = decidedOn
  }
}

export class Expected {
  readonly kind: Kind
  /** Our own message: its answer is not the client's. */
  hidden = false
  /** Hidden, but its error is the client's. */
  outspoken = false
  /** Said to the client in place of the target's error: this stands for a statement that was not forwarded. */
  error: Buffer | undefined
  write: Pick<Write<unknown>, 'confirm' | 'discard'> | undefined
  /** parse of the unnamed statement: the target drops the one before even when this one fails. */
  unnamed = false
  /** describe: whose columns are described; bind: what is planned. */
  judged: Judged | undefined
  /** execute: one; query: one per statement. */
  executions: readonly Execution[] = none
  /** query: the statement that is being answered. */
  at = 0
  /** hidden: values of the first column. */
  values: (Buffer | null)[] | undefined
  /** Called when this was answered, or failed or was skipped. */
  settled: ((ok: boolean) => void) | undefined

  constructor(kind: Kind) {
    this.kind = kind
  }

  get current(): Execution | undefined {
    return this.executions[this.at]
  }
}

const none: readonly Execution[] = []

/** First in, first out, without moving what waits. */
export class Queue {
  #items: Expected[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  push(item: Expected): void {
    this.#items.push(item)
  }

  /** The one that the next answer belongs to. */
  peek(): Expected | undefined {
    const head = this.#items[this.#head]
    if (head?.kind !== kinds.copyDone) return head
    this.shift()
    return this.peek()
  }

  shift(): Expected | undefined {
    const item = this.#items[this.#head]
    if (item === undefined) return undefined
    this.#head++
    if (this.#head === this.#items.length) {
      // Setting its length to 0 takes the engine far longer.
      this.#items = []
      this.#head = 0
    } else if (this.#head > 256) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  /** Position from the head of the first item of `kind`; -1 when there is none. */
  indexOf(kind: Kind): number {
    for (let i = this.#head; i < this.#items.length; i++) if (this.#items[i]?.kind === kind) return i - this.#head
    return -1
  }

  /** What was forwarded and is not answered to its end. */
  *executions(): Generator<Execution> {
    for (let i = this.#head; i < this.#items.length; i++) {
      const item = this.#items[i]
      if (item !== undefined) yield* item.executions.slice(item.at)
    }
  }

  firstSync(): Expected | undefined {
    for (let i = this.#head; i < this.#items.length; i++) if (this.#items[i]?.kind === kinds.sync) return this.#items[i]
    return undefined
  }

  /** Items behind the head, up to the first Sync, which is not among them. */
  *rest(): Generator<Expected> {
    for (let i = this.#head + 1; i < this.#items.length; i++) {
      const item = this.#items[i]
      if (item === undefined || item.kind === kinds.sync) return
      yield item
    }
  }

  /** The last item that is not a Sync or the end of COPY data. */
  lastAsked(): Expected | undefined {
    for (let i = this.#items.length - 1; i >= this.#head; i--) {
      const item = this.#items[i]
      if (item !== undefined && item.kind !== kinds.sync && item.kind !== kinds.copyDone) return item
    }
    return undefined
  }
}
