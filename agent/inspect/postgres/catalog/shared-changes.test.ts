import { describe, expect, it } from 'vitest'
import type { StatementAnalysis } from '../analysis.ts'
import type { TargetCatalog } from './catalog.ts'
import { DatabaseChanges } from './changes.ts'
import { SharedChanges } from './shared-changes.ts'

/** The parts of a target's catalog that are about changes, with nothing to read. */
class Target implements Pick<TargetCatalog, 'committing' | 'outdate' | 'outdated' | 'outdatedBut'> {
  readonly changes = new DatabaseChanges()
  #read = 0
  get outdated() {
    return this.changes.underWay || this.#read !== this.changes.count
  }
  outdatedBut(session: symbol) {
    return this.changes.underWayBut(session) || this.#read !== this.changes.count
  }
  committing(session: symbol) {
    this.changes.begin(session)
    return () => this.changes.end(session)
  }
  outdate() {
    this.changes.count++
  }
  refresh() {
    this.#read = this.changes.count
  }
}

const create: Pick<StatementAnalysis, 'effects' | 'complete' | 'node'> = {
  node: 'CreateStmt',
  complete: true,
  effects: [{ kind: 'ddl', changes: new Set(['made']) }],
}

describe('definitions that a statement stands on', () => {
  it('are not changed by what its session runs after it', () => {
    const target = new Target()
    const session = new SharedChanges(target, {})
    session.announce(create, 1, 2)
    expect([1, 2, 3].map((n) => session.outdated(n))).toEqual([false, true, true])
    expect(new SharedChanges(target, {}).outdated(1)).toBe(true)
  })

  it('are changed by what another session runs meanwhile', () => {
    const target = new Target()
    const session = new SharedChanges(target, {})
    const other = new SharedChanges(target, {})
    session.announce(create, 1, 2)
    other.announce(create, 1, 1)
    expect(session.outdated(1)).toBe(true)
    other.ready(true, 1)
    expect(session.outdated(1)).toBe(true)
    target.refresh()
    expect(session.outdated(1)).toBe(false)
  })

  it('are counted anew once what changed them is over', () => {
    const target = new Target()
    const session = new SharedChanges(target, {})
    session.announce(create, 1, 2)
    session.ready(true, 1)
    expect(session.outdated(3)).toBe(true)
    target.refresh()
    session.announce(create, 2, 4)
    expect([3, 4].map((n) => session.outdated(n))).toEqual([false, true])
  })
})
