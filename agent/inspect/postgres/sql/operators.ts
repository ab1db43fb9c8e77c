import { firstOwnOid } from '../../../../shared/postgres/oids.ts'
import type { Catalog, CatalogOperator, OperandType } from '../analysis.ts'
import { knownOperators, refused } from './function-lists.ts'
import { judgeStored } from './functions.ts'
import { derived, opaque, type Value } from './value.ts'
import type { Walk } from './walk.ts'

/** Undefined: it has none there. */
type Sides = readonly [left: Value | undefined, right: Value | undefined]

/**
 * What an operator does beside giving a value. PostgreSQL's own are known by name; one that people made runs its function, wherever its
 * operands may be what it takes. Returns what the code shows of columns;
 * undefined: no code of people's runs.
 */
export function operates(names: readonly string[], sides: Sides, walk: Walk): Value | undefined {
  const name = names.at(-1) ?? ''
  const schema = names.length > 1 ? names.at(-2) : undefined
  const builtIn = knownOperators.has(name) && (schema === undefined || schema === 'pg_catalog')
  const { catalog, report, searchPath } = walk
  const own = schema === 'pg_catalog' ? [] : catalog.operators(schema, name, searchPath)
  if (!builtIn && own.length === 0) report.doubts(`what the operator ${names.join('.')} does can't be told`)
  let shown: Value | undefined
  for (const one of own) {
    if ((builtIn && !takes(one, sides)) || isExtensions(one, catalog)) continue
    const verdicts = [one.code, ...(one.swaps ?? [])].map((oid) => judgeStored(catalog, oid))
    for (const { doubt, action } of verdicts) {
      if (doubt !== undefined) report.doubts(`the operator ${one.schema}.${name} runs code: ${doubt}`)
      if (action !== undefined) report.does(action)
    }
    for (const fn of verdicts.flatMap(({ code }) => code)) {
      const found = walk.code(fn)
      report.includeCode(found, `the operator ${one.schema}.${name}`)
      // It may say what it gets.
      for (const side of sides) if (side) report.use(side.sources, 'write')
      shown = derived([...(shown ? [shown] : []), { ...opaque, sources: found.touched }], true)
    }
  }
  return shown
}

/** An extension's, put there by a superuser, under a name of which we know what it means to compute. */
function isExtensions({ name, code }: CatalogOperator, catalog: Catalog): boolean {
  const { language, name: fn } = catalog.functionByOid(code) ?? {}
  return knownOperators.has(name) && (language === 'c' || language === 'internal') && !refused.has(fn ?? '')
}

/**
 * PostgreSQL takes its own operator where that fits: so it does where an operand is a column of a type of its own, and people's operator
 * wants one of theirs, or one of another kind.
 */
function takes({ left, right }: CatalogOperator, [l, r]: Sides): boolean {
  if ((left === undefined) !== (l === undefined) || (right === undefined) !== (r === undefined)) return false
  return !isOther(left, l) && !isOther(right, r)
}

function isOther(wanted: OperandType | undefined, value: Value | undefined): boolean {
  const type = value?.plain === true ? value.type : undefined
  if (wanted === undefined || type === undefined || /^_?#/.test(type)) return false
  if (wanted.oid >= firstOwnOid) return true
  return wanted.name !== type && !pseudo.test(wanted.name) && kindOf(wanted.name) !== kindOf(type)
}

const pseudo = /^(?:any|record)/

/** Of those within one, PostgreSQL makes one another by itself. */
const kinds: readonly ReadonlySet<string>[] = [
  'int2 int4 int8 float4 float8 numeric oid money',
  'text varchar bpchar name char',
  'date time timetz timestamp timestamptz interval',
  'inet cidr',
  'bit varbit',
].map((names) => new Set(names.split(' ')))

function kindOf(type: string): string | ReadonlySet<string> {
  return kinds.find((kind) => kind.has(type)) ?? type
}
