import type { VariableSetStmt } from 'libpg-query'
import type { SessionEffect } from '../analysis.ts'
import { quoted } from './ids.ts'
import { literalText } from './literals.ts'

/** Settings that take a list of names; their value is kept as PostgreSQL shows it. */
const lists = new Set(['search_path', 'temp_tablespaces', 'session_preload_libraries', 'local_preload_libraries'])

/** What SET and RESET leave behind in the session. */
export function settingEffect(set: VariableSetStmt): SessionEffect | undefined {
  const name = (set.name ?? '').toLowerCase()
  const local = set.is_local ?? false
  switch (set.kind) {
    case 'VAR_SET_VALUE': {
      const values = (set.args ?? []).map((arg) => literalText(arg) ?? '')
      const value = lists.has(name) ? values.map(quoteIdentifier).join(', ') : values.join(', ')
      return { kind: 'set', name, value, local }
    }
    case 'VAR_SET_DEFAULT':
      return { kind: 'set', name, value: null, local }
    case 'VAR_RESET':
      return { kind: 'reset', name }
    case 'VAR_RESET_ALL':
      return { kind: 'reset', name: null }
    // SET … FROM CURRENT exists in CREATE FUNCTION alone; SET TRANSACTION changes no name's meaning.
    default:
      return undefined
  }
}

/** Settings that change what a later statement means, or whose it is. */
const meaningful = new Set([
  'search_path',
  'role',
  'session_authorization',
  'client_encoding',
  'standard_conforming_strings',
  'backslash_quote',
  'transform_null_equals',
  'row_security',
  'session_replication_role',
])

export function changesMeaning(name: string): boolean {
  return meaningful.has(name)
}

/** Splits a search_path value into names: unquoted ones are folded to lower case. Undefined: it isn't well formed. */
export function parseSearchPath(value: string): string[] | undefined {
  const names: string[] = []
  let rest = value.trim()
  if (rest === '') return names
  for (;;) {
    const match = /^(?:"((?:[^"]|"")*)"|([^\s",]+))\s*/.exec(rest)
    if (!match) return undefined
    names.push(match[1] !== undefined ? match[1].replaceAll('""', '"') : (match[2] ?? '').toLowerCase())
    rest = rest.slice(match[0].length)
    if (rest === '') return names
    if (!rest.startsWith(',')) return undefined
    rest = rest.slice(1).trimStart()
  }
}

function quoteIdentifier(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : quoted(name)
}
