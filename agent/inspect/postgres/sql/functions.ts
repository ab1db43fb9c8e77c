import type { Action } from '../../../../shared/actions.ts'
import type { Catalog, CatalogFunction } from '../analysis.ts'
import {
  effects,
  harmlessExtension,
  harmlessVolatile,
  knownOutputs,
  refused,
  shapeless,
  unnesting,
} from './function-lists.ts'
import { stronger } from './report.ts'

/** What calling a function means. */
export interface Verdict {
  /** `schema.name` */
  name: string
  /** What the call does beyond computing a value. */
  action?: Action
  /** Why the call can't be vouched for. */
  doubt?: string
  /** Built in: `failure.ts` may know that it never fails. */
  builtIn: boolean
  /** People's own, whose definition says what they do. */
  code: readonly CatalogFunction[]
  /** May return any number of rows. */
  set: boolean
  /** Its columns in FROM. `one`: a scalar. `unknown`: can't be told. */
  outputs: readonly string[] | 'one' | 'one-or-row' | 'unknown'
}

/**
 * Judges a function by name. Overloads are not resolved: what any function of that name in reach may do, the call may do.
 */
export function judge(
  catalog: Catalog,
  schema: string | undefined,
  name: string,
  searchPath: readonly string[] | undefined,
): Verdict {
  const no = refused.get(name)
  if (no) {
    return verdict(schema ?? 'pg_catalog', name, { action: no.action, doubt: `the function ${name} ${no.why}` })
  }
  const candidates = catalog.functions(schema, name, searchPath)
  const first = candidates[0]
  if (!first) return verdict(schema, name, { doubt: `the function ${quoted(schema, name)} is not known here` })

  let result: Verdict | undefined
  for (const candidate of candidates) {
    const one = judgeOne(candidate, catalog)
    if (one.doubt) return one
    if (!result) result = one
    else {
      const builtIn = result.builtIn && one.builtIn
      const code = [...result.code, ...one.code]
      const outputs = eitherOutputs(result.outputs, one.outputs)
      const set = result.set || one.set
      result = { ...result, ...(one.action ? { action: one.action } : {}), set, builtIn, code, outputs }
    }
  }
  return result ?? judgeOne(first, catalog)
}

/** One that something stored calls, where no name has to be looked up. */
export function judgeStored(catalog: Catalog, oid: number): Verdict {
  const fn = catalog.functionByOid(oid)
  if (!fn) return verdict(undefined, String(oid), { doubt: 'what it does is not known here' })
  const no = refused.get(fn.name)
  if (no) return verdict(fn.schema, fn.name, { action: no.action, doubt: `the function ${fn.name} ${no.why}` })
  if (fn.schema === 'pg_catalog' && fn.name === 'set_config')
    return verdict(fn.schema, fn.name, { doubt: 'it changes settings' })
  return judgeOne(fn, catalog)
}

/** Overloads may differ in their columns, and which of them is meant is not known here. */
function eitherOutputs(a: Verdict['outputs'], b: Verdict['outputs']): Verdict['outputs'] {
  if (a === b || (Array.isArray(a) && Array.isArray(b) && a.join('\0') === b.join('\0'))) return a
  // Of a tsvector come three columns, which `isFlat` knows.
  return a === 'one-or-row' || b === 'one-or-row' ? 'one-or-row' : 'unknown'
}

function judgeOne(f: CatalogFunction, catalog: Catalog): Verdict {
  const set = f.returnsSet
  const outputs = f.outputs && f.outputs.length > 1 ? f.outputs : undefined
  if (f.schema === 'information_schema') {
    return verdict(f.schema, f.name, { set, outputs: outputs ?? knownOutputs.get(f.name) ?? 'one' })
  }
  if (f.schema !== 'pg_catalog') {
    if (f.parts !== undefined) return aggregate(f, f.parts, catalog)
    // C code marked immutable is an extension's, put there by a superuser, and computes from its arguments alone; so do constructors of ranges.
    if (
      (f.language === 'c' || f.language === 'internal') &&
      f.volatility === 'immutable' &&
      !f.securityDefiner &&
      !set
    ) {
      return verdict(f.schema, f.name, { outputs: outputs ?? 'unknown' })
    }
    if (f.definition !== undefined) {
      return verdict(f.schema, f.name, {
        code: [f],
        set,
        outputs: f.outputs ?? (f.scalar ? 'one' : 'unknown'),
        ...(f.volatility === 'volatile' ? { action: 'sql:call' } : {}),
      })
    }
    // Makes values out of nothing.
    if (f.language === 'c' && !set && harmlessExtension.has(f.name))
      return verdict(f.schema, f.name, { outputs: 'one' })
    return verdict(f.schema, f.name, {
      doubt: `what the function ${f.schema}.${f.name} does can't be told`,
      ...(f.volatility === 'volatile' ? { action: 'sql:call' } : {}),
    })
  }
  const shape =
    outputs ??
    knownOutputs.get(f.name) ??
    (shapeless.has(f.name) ? 'unknown' : unnesting.has(f.name) ? 'one-or-row' : 'one')
  const action = effects.get(f.name)
  const known = action !== undefined || harmlessVolatile.has(f.name)
  if (f.volatility === 'volatile' && f.language !== 'sql' && !known) {
    return verdict(f.schema, f.name, { action: 'sql:unknown', doubt: `what the function ${f.name} does can't be told` })
  }
  if (f.language !== 'internal' && f.language !== 'sql') {
    return verdict(f.schema, f.name, {
      action: 'sql:unknown',
      doubt: `the function ${f.name} is for internal use by the server`,
    })
  }
  return verdict(f.schema, f.name, {
    ...(action ? { action } : {}),
    set,
    outputs: shape,
    builtIn: true,
  })
}

/** One that people made does what its functions do: it is marked as if it were the server's own, whatever they are. */
function aggregate({ schema, name }: CatalogFunction, parts: readonly number[], catalog: Catalog): Verdict {
  let action: Action | undefined
  const code: CatalogFunction[] = []
  for (const oid of parts) {
    const one = judgeStored(catalog, oid)
    if (one.action) action = action === undefined ? one.action : stronger(action, one.action)
    if (one.doubt !== undefined) {
      const doubt = `what the aggregate ${schema}.${name} does can't be told: ${one.doubt}`
      return verdict(schema, name, { doubt, ...(action ? { action } : {}) })
    }
    code.push(...one.code)
  }
  return verdict(schema, name, { code, ...(action ? { action } : {}) })
}

function verdict(schema: string | undefined, name: string, rest: Partial<Verdict>): Verdict {
  return { name: quoted(schema, name), builtIn: false, code: [], set: false, outputs: 'unknown', ...rest }
}

function quoted(schema: string | undefined, name: string): string {
  return schema === undefined ? name : `${schema}.${name}`
}
