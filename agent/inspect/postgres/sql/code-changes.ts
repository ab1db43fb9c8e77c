import type { AlterFunctionStmt, DefineStmt } from 'libpg-query'
import { isBeyondWrites, type Report } from './report.ts'

/** What stands for code: under another name, or on another search_path, a name runs other code than before. */
const codes: ReadonlySet<string> = new Set([
  'OBJECT_FUNCTION',
  'OBJECT_PROCEDURE',
  'OBJECT_ROUTINE',
  'OBJECT_AGGREGATE',
  'OBJECT_OPERATOR',
  'OBJECT_OPCLASS',
  'OBJECT_OPFAMILY',
  'OBJECT_EXTENSION',
])

export function changesCode(type: string | undefined, report: Report): void {
  if (codes.has(type ?? '')) report.doubts('it changes what code a name runs, which is not followed')
}

/** What the planner is told alone. All else (SET search_path, SECURITY, volatility) changes what the code may do. */
const plannerHints: ReadonlySet<string> = new Set(['cost', 'rows', 'parallel'])

export function alterFunction({ actions }: AlterFunctionStmt, report: Report): void {
  const hints = (actions ?? []).every((one) => 'DefElem' in one && plannerHints.has(one.DefElem.defname ?? ''))
  if (!hints) report.doubts('it changes what a function does, which is not followed')
}

/** Types, collations and text search objects hold no code of their own; operators and aggregates stand for functions. */
export function define(node: DefineStmt, report: Report): void {
  if (node.kind === 'OBJECT_AGGREGATE' || node.kind === 'OBJECT_OPERATOR' || node.kind === 'OBJECT_TYPE') {
    report.doubts('the code that it brings is not followed')
  }
}

/** A change of the schema whose code changes rows besides is not what policy has a name for. */
export function changesRows(report: Report): void {
  if (report.codeWrites) report.does('sql:unknown')
}

/** Nor is one statement that changes rows in WITH, or in code that it calls, and, say, makes a table of them, or ends another session. */
export function changesBesides(tag: string | undefined, report: Report): void {
  const changes = report.changesRows || (tag === 'SelectStmt' && report.codeWrites)
  if (changes && isBeyondWrites(report.action)) report.does('sql:unknown')
}
