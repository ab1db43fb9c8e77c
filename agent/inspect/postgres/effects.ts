import type { SessionEffect } from './analysis.ts'
import type { Execution } from './expected.ts'
import type { Line } from './line.ts'
import { type Portal, type Prepared, preparedBySql } from './prepared.ts'
import { Judged, type Meaning } from './statements.ts'

/** Settings that a later statement's meaning depends on. */
const watched = new Set([
  'search_path',
  'role',
  'session_authorization',
  'client_encoding',
  'standard_conforming_strings',
])

export function changesMeaning(effect: SessionEffect): boolean {
  return (effect.kind === 'set' || effect.kind === 'reset') && (effect.name === null || watched.has(effect.name))
}

/** The letters of what comes, from this statement on. */
export function changesEncoding(effect: SessionEffect): boolean {
  return (effect.kind === 'set' || effect.kind === 'reset') && effect.name === 'client_encoding'
}

/** How strings are read, which is settled for a whole text before any of it runs. */
export function changesReading(effect: SessionEffect): boolean {
  return (effect.kind === 'set' || effect.kind === 'reset') && effect.name === 'standard_conforming_strings'
}

/**
 * Notes on the line what a forwarded statement will have changed: names take effect when the target confirms,
 * settings and definitions are read again before the next name is resolved.
 */
export function applyEffects(line: Line, execution: Execution, text: string, meaning: Meaning): void {
  const { analysis, reads } = execution.judged
  if (analysis.effects.length === 0 && analysis.complete) return
  const writes: Pick<(typeof execution.writes)[number], 'confirm' | 'discard'>[] = []
  const { segment } = line
  const { start, end } = analysis
  const inside = (statement: Judged['analysis']): Judged => new Judged(statement, 1, undefined, reads)
  // The PREPARE or DECLARE alone: it is read again by itself. In a text with others it was read under a search_path that may be none of the
  // session's before or after: the next use reads it again.
  const prepared = (statement: Judged['analysis']): Prepared =>
    preparedBySql(text.slice(start, end), { ...meaning }, inside(statement))
  for (const effect of analysis.effects) {
    switch (effect.kind) {
      case 'set':
      case 'reset':
        if (changesMeaning(effect)) line.moveState()
        if (effect.name === null || effect.name === 'client_encoding') line.encodingMoved = true
        break
      case 'begin':
        break
      case 'end':
      case 'rollback-to':
        if (line.stateInTransaction) line.stateDirty = true
        line.endFresh()
        break
      case 'ddl':
        line.change(effect)
        break
      case 'prepare':
        writes.push(line.statements.write(effect.name, prepared(effect.statement), segment))
        break
      case 'deallocate':
        if (effect.name === null) writes.push(...line.statements.clear(segment))
        else writes.push(line.statements.write(effect.name, null, segment))
        break
      case 'declare': {
        const cursor = prepared(effect.statement)
        const portal = {
          prepared: cursor,
          judged: cursor.judged,
          bind: undefined,
          held: effect.held,
          shaken: false,
          // A statement of the same text before it may have changed that.
          path: line.stateDirty ? undefined : meaning.searchPath,
          catalog: meaning.catalog,
          redefined: undefined,
          moved: inside(effect.moved),
        }
        writes.push(line.portals.write(effect.name, portal, segment))
        break
      }
      case 'close-cursor':
        if (effect.name === null) writes.push(...line.portals.clear(segment))
        else writes.push(line.portals.write(effect.name, null, segment))
        break
      default:
        effect satisfies never
    }
  }
  if (!analysis.complete) {
    // Code that can't be followed may have done any of it.
    line.moveState()
    line.encodingMoved = true
    line.change({ kind: 'ddl', changes: 'any' })
    writes.push({
      confirm() {
        line.statements.forget(shake)
        line.portals.forget(shake)
      },
      discard() {},
    })
  }
  execution.writes = writes
}

/** True: who made it is to be asked again. What came by the protocol goes on for those for whom nothing is masked. */
function shake(named: Prepared | Portal): boolean {
  named.shaken = true
  return 'prepared' in named ? named.prepared.bySql : named.bySql
}
