import type { FuncCall, Node, WindowDef } from 'libpg-query'
import { strings } from '../parser.ts'
import { extentOfCall, grown, keepsLength, unknownExtent } from './extent.ts'
import { legibilityOf, neverFails, readsDocuments } from './failure.ts'
import { safeFunctions } from './function-lists.ts'
import { judge } from './functions.ts'
import { literalText } from './literals.ts'
import type { Scope } from './scope.ts'
import { changesMeaning } from './settings.ts'
import { derived, dressed, isWhole, opaque, type Value } from './value.ts'
import { predicate, type Walk } from './walk.ts'

/** A function call in an expression: its value, and what the call does besides. */
export function call(f: FuncCall, walk: Walk, scope: Scope): Value {
  const { report } = walk
  const { args, inner, outcome, name } = invoke(f, walk, scope)
  const ordered = sortKeys(f.agg_order, walk, scope)
  if (f.agg_distinct) for (const arg of args) report.use(arg.sources, 'predicate')
  predicate(walk, [f.agg_filter], scope)
  window(f.over, walk, scope)

  const values = [...args, inner, ...ordered]
  const legible = legibilityOf(name, f.args ?? [], args)
  const collated = values.some((one) => one.collated)
  const safe = outcome.builtIn && !collated && neverFails(name, f.args ?? [], args, legible)
  const value: Value = {
    // What only its arguments keep from failing counts as what may fail where AND stops early.
    ...derived(values, !safe || !safeFunctions.has(name)),
    ...(outcome.builtIn
      ? extentOfCall(name, args, {
          safe,
          computed: !args.map(ofRow).every(isWhole),
          legible,
        })
      : unknownExtent),
    ...(readsDocuments(name) && legible === 'own' ? { reads: true } : {}),
  }
  if (!keepsLength(name)) grown(value, walk)
  // A failure, or the number of rows, would tell what the value was.
  if (!safe || outcome.set) report.use(value.sources, 'predicate')
  return outcome.builtIn && keeping.has(name) ? dressed(value, [...args.map(ofRow), ...ordered]) : value
}

/** Give one of the values that they get, or a document of them: see `Value.whole`. */
const keeping: ReadonlySet<string> = new Set([
  ...['min', 'max', 'any_value', 'first_value', 'last_value', 'lag', 'lead', 'array_agg', 'json_agg', 'jsonb_agg'],
  ...['to_json', 'to_jsonb', 'row_to_json', 'json_build_object', 'jsonb_build_object', 'jsonb_pretty'],
  ...['json_build_array', 'jsonb_build_array', 'json_strip_nulls', 'jsonb_strip_nulls'],
  ...['json_extract_path', 'json_extract_path_text', 'jsonb_extract_path', 'jsonb_extract_path_text'],
  ...['json_object_field', 'json_object_field_text', 'jsonb_object_field', 'jsonb_object_field_text'],
])

/** A row goes into a document column by column. */
function ofRow(value: Value): Value {
  return value.rowWhole === true && !isWhole(value) ? { ...value, whole: true } : value
}

/** The arguments, and the verdict on the function, with its effects on the report. Shared with functions in FROM. */
export function invoke(f: FuncCall, walk: Walk, scope: Scope) {
  const { report, catalog } = walk
  const names = strings(f.funcname)
  const name = names.at(-1) ?? ''
  const schema = names.length > 1 ? names.at(-2) : undefined
  const args = (f.args ?? []).map((arg) => walk.expression(arg, scope))
  const outcome = judge(catalog, schema, name, walk.searchPath)
  report.functions.add(outcome.name)
  if (outcome.action) report.does(outcome.action)
  // Code may say what it gets, and what has effects keeps or sends it: nothing masks it there.
  if (outcome.action !== undefined || outcome.code.length > 0 || name === 'set_config') {
    for (const arg of args) report.use(arg.sources, 'write')
  }
  if (name === 'set_config') setConfig(f, walk)
  else if (outcome.doubt) report.doubts(outcome.doubt)
  let inner: Value = opaque
  for (const fn of outcome.code) {
    const code = walk.code(fn)
    report.includeCode(code, `the function ${outcome.name}`)
    inner = derived([inner, { ...opaque, sources: code.touched }])
  }
  return { args, inner, outcome, name }
}

export function sortKeys(nodes: readonly Node[] | undefined, walk: Walk, scope: Scope): Value[] {
  return predicate(
    walk,
    (nodes ?? []).map((node) => ('SortBy' in node ? node.SortBy.node : node)),
    scope,
  )
}

export function window(def: WindowDef | undefined, walk: Walk, scope: Scope): void {
  if (!def) return
  predicate(walk, def.partitionClause ?? [], scope)
  sortKeys(def.orderClause, walk, scope)
  predicate(walk, [def.startOffset, def.endOffset], scope)
}

/** `set_config` is SET in disguise: what it sets must be known, and, where names depend on it, that it runs. */
function setConfig(f: FuncCall, walk: Walk): void {
  const { report } = walk
  const [nameArg, valueArg, localArg] = f.args ?? []
  const name = (literalText(nameArg) ?? report.pinned.get(f))?.toLowerCase()
  const value = literalText(valueArg)
  const local = literalText(localArg)
  report.does('sql:session')
  report.literalFree = false
  if (typeof name !== 'string') {
    report.doubts('set_config sets a setting whose name is only known when it runs')
    return
  }
  if (typeof value === 'string' && typeof local === 'string' && report.certain.has(f)) {
    report.effects.push({ kind: 'set', name, value, local: local.startsWith('t') })
    if (name === 'role' || name === 'session_authorization') report.does('sql:role')
    return
  }
  if (changesMeaning(name))
    report.doubts(`set_config sets ${name}, and how or whether it does is only known when it runs`)
}
