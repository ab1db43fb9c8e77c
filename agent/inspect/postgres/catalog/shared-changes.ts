import type { InspectorPort } from '../../port.ts'
import type { StatementAnalysis } from '../analysis.ts'
import type { TargetCatalog } from './catalog.ts'

type Announced = Pick<StatementAnalysis, 'effects' | 'complete' | 'node'>

/** Whose code is there to change things, and may commit by itself. A SELECT's would have everybody read the catalog after each. */
const runsCode: ReadonlySet<string> = new Set(['DoStmt', 'CallStmt'])

/** What it changes means nothing else to anybody's statement, and it may take hours: nobody reads the catalog meanwhile. */
const meansNothing: ReadonlySet<string> = new Set(['IndexStmt', 'ReindexStmt', 'RefreshMatViewStmt'])

/**
 * Definitions that a session changes for everybody. Whoever else inspects the database is told before a statement that may commit them is
 * forwarded, and looks up every name anew until the answer is in: nobody can say when in between it is committed.
 */
export class SharedChanges {
  readonly #target: Pick<TargetCatalog, 'committing' | 'outdate' | 'outdated' | 'outdatedBut'>
  readonly #port: Pick<InspectorPort, 'changing' | 'changed'>
  /** Some were made in a transaction that is not known to be over. */
  #made = false
  /** The last segment that may make or commit them. */
  #segment = 0
  readonly #session = Symbol('session')
  #over: (() => void) | undefined
  /** The first statement that was announced since nothing was under way. */
  #first = 0

  constructor(
    target: Pick<TargetCatalog, 'committing' | 'outdate' | 'outdated' | 'outdatedBut'>,
    port: Pick<InspectorPort, 'changing' | 'changed'>,
  ) {
    this.#target = target
    this.#port = port
  }

  /** Before statement `n`, of `segment`, is forwarded. Resolves when that may be; undefined: now. */
  announce({ effects, complete, node }: Announced, segment: number, n: number): Promise<void> | undefined {
    const code = !complete && runsCode.has(node)
    const makes = code || effects.some((effect) => effect.kind === 'ddl' && effect.alone !== true)
    this.#made ||= makes
    if (!this.#made) return undefined
    const commits = makes ? !meansNothing.has(node) : effects.some(({ kind }) => kind === 'end')
    if (makes || commits) this.#segment = segment
    if (!commits) return undefined
    if (this.#over === undefined) {
      this.#over = this.#target.committing(this.#session)
      this.#first = n
    }
    return this.#port.changing?.()
  }

  /** Whether what may commit them is on its way. */
  underWay(confirmed: number): boolean {
    return this.#segment > confirmed
  }

  /** Whether definitions that statement `n` stands on may have changed since they were read: not by what the session runs after it. */
  outdated(n: number): boolean {
    const { outdated } = this.#target
    return outdated && n < this.#first ? this.#target.outdatedBut(this.#session) : outdated
  }

  /** The target is ready; `idle`: with no transaction open. */
  ready(idle: boolean, confirmed: number): void {
    if (!this.#made) return
    const settled = !this.underWay(confirmed)
    if (idle) this.#target.outdate()
    // In a transaction nothing is committed before the next announcement.
    if (settled) this.#end()
    if (settled && idle) this.#made = false
  }

  /** The target is done with the session: what it changed is committed or taken back. */
  close(): void {
    if (this.#made) this.#target.outdate()
    this.#end()
  }

  #end(): void {
    if (this.#over === undefined) return
    this.#over()
    this.#over = undefined
    this.#port.changed?.()
  }
}
