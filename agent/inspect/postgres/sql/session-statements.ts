import type { DeclareCursorStmt, DoStmt, LockStmt, Node, TransactionStmt, VariableSetStmt } from 'libpg-query'
import type { Changes, SessionEffect, StatementAnalysis } from '../analysis.ts'
import * as ddl from './ddl.ts'
import { isSchema } from './fresh.ts'
import { literalText } from './literals.ts'
import type { Report } from './report.ts'
import { include, nothing, type Result } from './result.ts'
import { changesMeaning, settingEffect } from './settings.ts'
import type { Walk } from './walk.ts'

/** Statements whose effect is on the session: names that it keeps, its transaction and settings. */

/** Nothing runs yet, but what it will do is known already. */
export function prepare(name: string, inner: StatementAnalysis, report: Report): Result {
  include(inner, report)
  report.effects.push({ kind: 'prepare', name, statement: inner })
  return nothing
}

/** CURSOR_OPT_HOLD */
const withHold = 0x20

/** Opened now, and fetched from later: what it gives is decided on then. */
export function declare(
  { portalname = '', options = 0 }: DeclareCursorStmt,
  inner: StatementAnalysis,
  moved: StatementAnalysis,
  report: Report,
): Result {
  const held = (options & withHold) !== 0
  // The rest of its rows is computed when the transaction ends.
  const statement = ranOnce(held ? moved : inner)
  include(statement, report)
  report.does(statement.action)
  report.hasWhere = statement.hasWhere
  report.effects.push({ kind: 'declare', name: portalname, statement, moved: ranOnce(moved), held })
  return nothing
}

/** Of a setting that a cursor's query changes, nobody can tell by which FETCH, or COMMIT, it does. */
function ranOnce(statement: StatementAnalysis): StatementAnalysis {
  if (!statement.effects.some((effect) => effect.kind === 'set' && changesMeaning(effect.name))) return statement
  const doubt = 'when the cursor changes settings that later names depend on is only known when it runs'
  return { ...statement, complete: false, outputs: null, doubt: statement.doubt ?? doubt }
}

/** What the session forgets. */
export function discard(target: string | undefined, report: Report): Result {
  if (target === 'DISCARD_ALL') {
    report.effects.push({ kind: 'reset', name: null })
    report.effects.push({ kind: 'deallocate', name: null })
    report.effects.push({ kind: 'close-cursor', name: null })
  }
  if (target === 'DISCARD_ALL' || target === 'DISCARD_TEMP')
    report.effects.push({ kind: 'ddl', changes: 'any', alone: true })
  return nothing
}

/** Where a transaction begins and ends. */
export function transaction(node: TransactionStmt, report: Report): Result {
  switch (node.kind) {
    case 'TRANS_STMT_BEGIN':
    case 'TRANS_STMT_START':
      report.effects.push({ kind: 'begin' })
      break
    case 'TRANS_STMT_COMMIT':
    case 'TRANS_STMT_ROLLBACK':
    case 'TRANS_STMT_PREPARE':
      report.effects.push({ kind: 'end' })
      if (node.chain) report.effects.push({ kind: 'begin' })
      break
    case 'TRANS_STMT_ROLLBACK_TO':
      report.effects.push({ kind: 'rollback-to', name: node.savepoint_name ?? '' })
      break
    case 'TRANS_STMT_COMMIT_PREPARED':
      // What was changed in it, by whomever, holds from now on.
      report.effects.push({ kind: 'ddl', changes: 'any' })
      break
    default:
      break
  }
  return nothing
}

/** Another role sees other rows and has other rights; back to one's own is nothing new. */
export function setting(node: VariableSetStmt, report: Report): Result {
  const effect = settingEffect(node)
  if (!effect) return nothing
  report.effects.push(effect)
  const becomes = effect.kind === 'set' && (effect.name === 'role' || effect.name === 'session_authorization')
  if (becomes && effect.value !== null && effect.value !== 'none') report.does('sql:role')
  return nothing
}

/** A setting holds no values of tables. */
export function show(name: string, report: Report): Result {
  report.does('sql:show')
  const names = name.toLowerCase() === 'all' ? ['name', 'setting', 'description'] : [name]
  return { outputs: names.map((column) => ({ name: column, sources: [], plain: false })) }
}

/** Its code is followed like a function's; what it reads goes nowhere but into what it does. */
export function doBlock(node: DoStmt, walk: Walk, nested: (node: Node) => StatementAnalysis): void {
  let text: string | undefined
  let language = 'plpgsql'
  for (const arg of node.args ?? []) {
    if (!('DefElem' in arg)) continue
    if (arg.DefElem.defname === 'as') text = literalText(arg.DefElem.arg) ?? undefined
    if (arg.DefElem.defname === 'language') language = literalText(arg.DefElem.arg) ?? ''
  }
  if (text === undefined || language !== 'plpgsql') {
    walk.report.doubts('a DO block runs code that is not followed')
    return
  }
  const code = walk.block(text)
  if (code.doubt !== undefined) code.doubt = `what the DO block does can't be told: ${code.doubt}`
  walk.report.includeCode(code, 'the DO block')
  const alone = code.definitions.length === 1
  for (const definition of code.definitions) changesIn(nested(definition), alone, walk.report)
}

/** A change of definitions in a DO block, which may run or not, as often as it likes. */
function changesIn(statement: StatementAnalysis, alone: boolean, report: Report): void {
  include(statement, report)
  report.does(statement.action)
  for (const table of statement.written) report.written.add(table)
  // Of several, one may be about what another made.
  const [effect] = statement.effects
  const names = alone && effect?.kind === 'ddl' ? mayChange(effect) : 'any'
  if (effect !== undefined || !alone) report.effects.push({ kind: 'ddl', changes: names })
}

/** What it makes or changes is not known for sure then. */
function mayChange({ changes, fresh = [] }: Extract<SessionEffect, { kind: 'ddl' }>): Changes {
  if (changes === 'any' || fresh.some(isSchema)) return 'any'
  return new Set([...changes, ...fresh.flatMap(({ name, before }) => [name, before?.name ?? name])])
}

/** ACCESS SHARE and ROW SHARE are what SELECT takes; anything stronger keeps others from writing. */
const rowShare = 2

export function lock(node: LockStmt, walk: Walk): Result {
  if ((node.mode ?? 0) > rowShare) walk.report.does('sql:lock')
  for (const item of node.relations ?? []) {
    if (!('RangeVar' in item)) continue
    ddl.mentions(item.RangeVar, walk)
  }
  return nothing
}
