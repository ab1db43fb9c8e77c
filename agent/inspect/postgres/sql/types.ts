import type { CodedType } from '../analysis.ts'
import { objects, strings } from '../parser.ts'
import { judge } from './functions.ts'
import type { Walk } from './walk.ts'

/**
 * A value of a domain is checked wherever one is made of it, by code of people's own: in a cast, a parameter, a column of JSON_TABLE.
 * Whether that fails shows what the code looked at.
 */
export function typesIn(root: object, walk: Walk): void {
  const types = walk.catalog.codedTypes
  if (types.length === 0) return
  const named = new Set<string>()
  for (const one of objects(root)) {
    if ('names' in one && Array.isArray(one.names)) named.add(strings(one.names).at(-1) ?? '')
    // The type that it makes is that of a value, or a text.
    if ('funcname' in one && Array.isArray(one.funcname) && makesAny.has(strings(one.funcname).at(-1) ?? '')) {
      for (const { name } of types) named.add(name)
    }
  }
  check(
    types.filter(({ name }) => named.has(name)),
    walk,
  )
}

/** The same for the text of a definition that others left: a name in it, wherever it stands, may be the type's. */
export function typesNamedIn(definition: string, walk: Walk): void {
  const types = walk.catalog.codedTypes
  if (types.length === 0) return
  const text = definition.toLowerCase()
  check(
    types.filter(({ name }) => text.includes(name.toLowerCase())),
    walk,
  )
}

const makesAny: ReadonlySet<string> = new Set([
  'json_populate_record',
  'jsonb_populate_record',
  'json_populate_recordset',
  'jsonb_populate_recordset',
  'jsonb_populate_record_valid',
  'pg_input_is_valid',
  'pg_input_error_info',
])

function check(types: readonly CodedType[], walk: Walk): void {
  const { catalog, report } = walk
  for (const oid of new Set(types.flatMap(({ calls }) => calls))) {
    const fn = catalog.functionByOid(oid)
    const verdict = fn && judge(catalog, fn.schema, fn.name, [])
    const doubt = verdict ? verdict.doubt : 'what it does is not known here'
    if (doubt !== undefined) report.doubts(`the check of a domain runs code: ${doubt}`)
    for (const one of verdict?.code ?? []) report.includeCode(walk.code(one))
  }
}
