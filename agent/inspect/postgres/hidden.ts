import type { Node } from 'libpg-query'
import {
  isIdentifierStart,
  isSpace,
  skipDollar,
  skipIdentifier,
  skipQuoted,
  skipTrivia,
} from '../../../shared/sql/lex.ts'
import { objects, parse, strings } from './parser.ts'
import { splitId } from './sql/ids.ts'

/**
 * A statement for people who may not see what its literals could be values of. A literal stays only where it is plainly compared with,
 * or assigned to, a column that is in no data class; all others, and all comments, are left out. Text that does not parse loses all.
 * `columns`: every column that the statement touches, `schema.table.column`, and whether it is in a data class.
 */
export function hideLiterals(text: string, columns: ReadonlyMap<string, boolean>): string {
  const free = new Set<string>()
  const sensitive = new Set<string>()
  for (const [id, inClass] of columns) (inClass ? sensitive : free).add(splitId(id)[2] ?? '')
  const isFree = (name: string | undefined) => name !== undefined && free.has(name) && !sensitive.has(name)
  const parsed = parse(text)
  const shown = new Set<number>()
  if (parsed.ok) for (const { node } of parsed.statements) collect(node, isFree, shown)
  return rewrite(text, shown)
}

/** Byte offsets of constants that may stay. */
function collect(root: unknown, isFree: (name: string | undefined) => boolean, shown: Set<number>): void {
  for (const one of objects(root)) for (const constant of freeConstants(one, isFree)) shown.add(constant)
}

function freeConstants(node: object, isFree: (name: string | undefined) => boolean): number[] {
  const record: Partial<Record<string, unknown>> = { ...node }
  const comparison = record.A_Expr
  if (isObject(comparison)) {
    const { lexpr, rexpr } = comparison
    const [left, right] = [asNode(lexpr), asNode(rexpr)]
    if (isFree(columnName(left))) return constants(right)
    if (isFree(columnName(right))) return constants(left)
  }
  const update = record.UpdateStmt
  if (isObject(update) && Array.isArray(update.targetList)) {
    return update.targetList.flatMap((target: unknown) => {
      const assigned = isObject(target) ? target.ResTarget : undefined
      return isObject(assigned) && typeof assigned.name === 'string' && isFree(assigned.name)
        ? constants(asNode(assigned.val))
        : []
    })
  }
  return []
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** The tree comes from PostgreSQL's own parser; its types say what its fields hold. */
function asNode(value: unknown): Node | undefined {
  return isObject(value) ? (value as Node) : undefined
}

function columnName(node: Node | undefined): string | undefined {
  return node !== undefined && 'ColumnRef' in node ? strings(node.ColumnRef.fields).at(-1) : undefined
}

function constants(node: Node | undefined): number[] {
  if (node === undefined) return []
  if ('A_Const' in node) return [node.A_Const.location ?? 0]
  if ('TypeCast' in node) return constants(node.TypeCast.arg)
  if ('List' in node) return (node.List.items ?? []).flatMap(constants)
  return []
}

/** Replaces literals whose byte offset is not among `shown`, and comments. */
function rewrite(text: string, shown: ReadonlySet<number>): string {
  let out = ''
  let byte = 0
  let i = 0
  const take = (end: number, instead?: string) => {
    const part = text.slice(i, end)
    out += instead ?? part
    byte += Buffer.byteLength(part)
    i = end
  }
  while (i < text.length) {
    const code = text.charCodeAt(i)
    const char = text[i]
    if (isSpace(code)) take(i + 1)
    else if (text.startsWith('--', i) || text.startsWith('/*', i)) take(skipTrivia(text, i), ' ')
    else if (char === '"') take(skipQuoted(text, i, false))
    else if (char === "'") take(skipQuoted(text, i, false), shown.has(byte) ? undefined : "'•••'")
    else if (char === '$') {
      const end = skipDollar(text, i)
      if (end > i + 1) take(end, shown.has(byte) ? undefined : "'•••'")
      else take(i + parameterLength(text, i))
    } else if (isIdentifierStart(code)) {
      const end = skipIdentifier(text, i)
      const prefix = text.slice(i, end).toLowerCase()
      // E'…', B'…', X'…', N'…': one token.
      if (text[end] === "'" && /^[ebxn]$/.test(prefix)) {
        take(skipQuoted(text, end, prefix === 'e'), shown.has(byte) ? undefined : "'•••'")
      } else take(end)
    } else if (/[0-9]/.test(char ?? '') || (char === '.' && /[0-9]/.test(text[i + 1] ?? ''))) {
      take(i + numberLength(text, i), shown.has(byte) ? undefined : '•••')
    } else take(i + 1)
  }
  return out.trimEnd()
}

/** `$1`: the dollar and its digits. */
function parameterLength(text: string, start: number): number {
  let end = start + 1
  while (/[0-9]/.test(text[end] ?? '')) end++
  return end - start
}

/** `12`, `1.5e-3`, `0x1f`, `1_000`. */
function numberLength(text: string, start: number): number {
  let end = start + 1
  while (/[0-9a-zA-Z_.]/.test(text[end] ?? '') || (/[+-]/.test(text[end] ?? '') && /[eE]/.test(text[end - 1] ?? '')))
    end++
  return end - start
}
