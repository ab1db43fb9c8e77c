import type { CodedType } from '../analysis.ts'
import { objects, strings } from '../parser.ts'
import { judgeStored } from './functions.ts'
import { columnId, splitId } from './ids.ts'
import { identified } from './relations.ts'
import type { Walk } from './walk.ts'

/**
 * A value of a domain is checked wherever one is made of it, by code of people's own: in a cast, a parameter, a column of JSON_TABLE.
 * Whether that fails shows what the code looked at. A cast by such code runs wherever PostgreSQL finds that it fits.
 */
export function typesIn(root: object, walk: Walk): void {
  const types = walk.catalog.codedTypes
  if (types.length === 0) return
  const named = new Set<string>()
  for (const one of objects(root)) {
    if ('names' in one && Array.isArray(one.names)) named.add(strings(one.names).at(-1) ?? '')
    // A range's constructor.
    if ('funcname' in one && Array.isArray(one.funcname)) named.add(strings(one.funcname).at(-1) ?? '')
    // The type that it makes is that of a value, or a text.
    if ('funcname' in one && Array.isArray(one.funcname) && makesAny.has(strings(one.funcname).at(-1) ?? '')) {
      for (const { name } of types) named.add(name)
    }
  }
  check(
    types.filter(({ name, reach }) => reach === 'any' || named.has(name)),
    walk,
  )
}

/** The same for the text of a definition that others left: a name in it, wherever it stands, may be the type's. */
export function typesNamedIn(definition: string, walk: Walk): void {
  const types = walk.catalog.codedTypes
  if (types.length === 0) return
  const text = definition.toLowerCase().replaceAll('""', '"')
  // A name in U&"…" may be any.
  const disguised = text.includes('u&"') || [...makesAny].some((name) => isNamed(name, text))
  check(
    types.filter(
      ({ name, reach }) => reach === 'any' || reach === 'written' || disguised || isNamed(name.toLowerCase(), text),
    ),
    walk,
  )
}

/**
 * Beside a column of such a type a literal becomes one, in an array, a document or a row of it as well; and a cast may lead from it
 * where none is written.
 */
export function typesTouched(walk: Walk): void {
  const types = walk.catalog.codedTypes
  if (!types.some(({ reach }) => reach === 'touched' || reach === 'row' || reach === 'written')) return
  const { catalog, report } = walk
  const oids = new Set<number>()
  for (const id of report.touched) {
    const { relation, column } = identified(catalog, id)
    const found = relation?.columns.find(({ name }) => name === column)
    if (found !== undefined) oids.add(found.typeOid)
  }
  /** Whole rows may be: all of its columns are used. */
  const rows = new Set<string>()
  // Every index of what is written.
  for (const id of report.written) {
    for (const { typeOid } of identified(catalog, id).relation?.columns ?? []) oids.add(typeOid)
  }
  for (const id of report.functions) {
    const [schema, name = ''] = splitId(id)
    for (const { gives = [] } of catalog.functions(schema, name, [])) for (const oid of gives) oids.add(oid)
  }
  for (const id of report.tables) {
    const { relation, name } = identified(catalog, id)
    const all = relation?.columns.every((one) => report.touched.has(columnId(relation.schema, name, one.name)))
    if (all !== false) rows.add(name)
  }
  check(
    types.filter(
      ({ oid, name, reach }) =>
        ((reach === 'touched' || reach === 'row') && oids.has(oid)) ||
        (reach === 'row' && rows.has(name)) ||
        (reach === 'written' && report.written.size > 0),
    ),
    walk,
  )
}

/**
 * A parameter takes on a type, and with it a collation, where the statement first needs it to: in a cast, a column that is written, an argument.
 * Where texts are equal under that collation that differ, looking a value up by it finds out about parts of the value.
 */
export function lookupsByType(roots: readonly object[], walk: Walk): void {
  const { catalog, report } = walk
  if (report.lookups.size === 0 || catalog.lenientTypes.length === 0) return
  const names = new Set(catalog.lenientTypes.map(({ name }) => name))
  const oids = new Set(catalog.lenientTypes.map(({ oid }) => oid))
  const all = roots.flatMap((root) => [...objects(root)])
  const named = all.some(
    (one) => 'names' in one && Array.isArray(one.names) && names.has(strings(one.names).at(-1) ?? ''),
  )
  const written = [...report.written].some((id) =>
    identified(catalog, id).relation?.columns.some(({ typeOid }) => oids.has(typeOid)),
  )
  const takes = [...report.functions].some((id) => !id.startsWith('pg_catalog.'))
  if (all.some((one) => 'ParamRef' in one) && (named || written || takes)) report.use(report.lookups, 'predicate')
}

/** Values of any type may be put in order. */
export function typesAnywhere(walk: Walk): void {
  check(
    walk.catalog.codedTypes.filter(({ reach }) => reach === 'row' || reach === 'any'),
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
  // Of hstore.
  'populate_record',
  // They take the type by its number.
  ...['domain_in', 'array_in', 'record_in', 'range_in', 'multirange_in'],
])

/** As a word of its own. */
function isNamed(name: string, text: string): boolean {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    if (!isWord(text[at - 1]) && !isWord(text[at + name.length])) return true
  }
  return false
}

function isWord(letter: string | undefined): boolean {
  return letter !== undefined && /[\w$\u0080-\uffff]/.test(letter)
}

function check(types: readonly CodedType[], walk: Walk): void {
  const { catalog, report } = walk
  for (const oid of new Set(types.flatMap(({ calls }) => calls))) {
    const { code, doubt } = judgeStored(catalog, oid)
    if (doubt !== undefined)
      report.doubts(`the check of a domain, a cast or a comparison of a type’s values runs code: ${doubt}`)
    for (const one of code)
      if (!walk.within(one))
        report.includeCode(walk.code(one), 'a domain’s check, a cast or a comparison of a type’s values')
  }
}
