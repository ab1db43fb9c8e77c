import type { StatementAnalysis } from './analysis.ts'
import { write as say } from './annotations.ts'
import { stronger } from './sql/report.ts'
import { Judged } from './statements.ts'

/** EXECUTE and FETCH do what they refer to, besides what they do themselves: the parameters of EXECUTE call functions and read tables. */
export function merge(judged: Judged, { analysis: referred, reads }: Judged): Judged {
  // It refers to nothing any more: planning masks would take it for unknown.
  const { refers, ...own } = judged.analysis
  const doubt = own.doubt ?? referred.doubt
  const merged: StatementAnalysis = {
    ...own,
    action: refers?.kind === 'prepared' ? stronger(own.action, referred.action) : own.action,
    tables: joined(own.tables, referred.tables),
    written: joined(own.written, referred.written),
    columns: joined(own.columns, referred.columns),
    functions: joined(own.functions, referred.functions),
    hasWhere: referred.hasWhere,
    // MOVE counts rows, and shows none.
    outputs: refers?.moves === true ? null : referred.outputs,
    uses: [...own.uses, ...referred.uses],
    effects: [...own.effects, ...referred.effects],
    complete: own.complete && referred.complete,
    ...(doubt === undefined ? {} : { doubt }),
    ...(own.code || referred.code ? { code: true } : {}),
    ...followedOf(own, referred),
    ...readersOf(own, referred),
  }
  return new Judged(merged, judged.count, judged, [...judged.reads, ...reads])
}

/**
 * A portal whose names were looked up when it was made, and whose code was defined anew since: what either says of it counts, and its
 * columns are where they were.
 */
export function redefined(judged: Judged, { analysis: now, reads }: Judged): Judged {
  const own = judged.analysis
  if (own.code !== true && now.code !== true) return judged
  const same = own.outputs === null || own.outputs.length === now.outputs?.length
  const outputs = own.outputs?.map((output, i) => {
    const sources = joined(output.sources, now.outputs?.[i]?.sources ?? [])
    return sources.length === output.sources.length ? output : { ...output, sources, plain: false, whole: false }
  })
  const both = beside(judged, now).analysis
  const doubt = both.doubt ?? (same ? undefined : 'code that it runs was defined anew')
  const merged: StatementAnalysis = {
    ...both,
    outputs: outputs ?? null,
    complete: both.complete && same,
    ...(doubt === undefined ? {} : { doubt }),
  }
  return new Judged(merged, judged.count, judged, reads)
}

/** It does that as well, whose results nobody gets. */
export function beside(judged: Judged, other: StatementAnalysis): Judged {
  const own = judged.analysis
  const doubt = own.doubt ?? other.doubt
  const merged: StatementAnalysis = {
    ...own,
    action: stronger(own.action, other.action),
    tables: joined(own.tables, other.tables),
    written: joined(own.written, other.written),
    columns: joined(own.columns, other.columns),
    functions: joined(own.functions, other.functions),
    uses: [...own.uses, ...other.uses],
    complete: own.complete && other.complete,
    ...(doubt === undefined ? {} : { doubt }),
    ...(own.code || other.code ? { code: true } : {}),
    ...followedOf(own, other),
    ...readersOf(own, other),
  }
  return new Judged(merged, judged.count, judged)
}

/** What it looks up it compares in ways that are more than a look-up. */
export function comparing(judged: Judged): Judged {
  const uses = judged.analysis.uses.map((use) => (use.how === 'lookup' ? { ...use, how: 'predicate' as const } : use))
  return new Judged({ ...judged.analysis, uses }, judged.count, judged)
}

function followedOf({ followed: a }: StatementAnalysis, { followed: b }: StatementAnalysis) {
  if (a === undefined && b === undefined) return {}
  return { followed: new Set([...(a ?? []), ...(b ?? [])]) }
}

function readersOf(a: StatementAnalysis, b: StatementAnalysis): Pick<StatementAnalysis, 'readers'> {
  return a.readers || b.readers ? { readers: new Map([...(b.readers ?? []), ...(a.readers ?? [])]) } : {}
}

function joined(own: readonly string[], referred: readonly string[]): readonly string[] {
  return own.length === 0 ? referred : [...new Set([...own, ...referred])].sort()
}

/**
 * What a name stands for that is not known here, where nothing is masked: code may have made it, and the target says whether
 * it exists. Policy sees that it can't be told.
 */
export function unknown(one?: Judged): Judged {
  const { refers, ...analysis } = one?.analysis ?? nameless
  return new Judged(
    {
      ...analysis,
      action: analysis.action === 'sql:fetch' ? 'sql:fetch' : 'sql:unknown',
      complete: false,
      doubt:
        refers === undefined ? 'what it runs is not known here' : `what ${refers.name} stands for is not known here`,
      outputs: null,
    },
    one?.count ?? 1,
  )
}

const nameless: StatementAnalysis = {
  start: 0,
  end: 0,
  node: 'none',
  action: 'sql:unknown',
  tables: [],
  written: [],
  columns: [],
  functions: [],
  hasWhere: true,
  complete: false,
  outputs: null,
  uses: [],
  effects: [],
  literalFree: false,
}

/** Of a name that code may have given to something else since. */
export const shakenHint =
  'Code ran since it was made that could not be followed, so that it may be another one by now. Close it, and make it anew.'

/** What the target says of a name that stands for nothing. */
export function unknownName({ refers }: StatementAnalysis): Buffer {
  return refers?.kind === 'prepared'
    ? say({ severity: 'ERROR', sqlstate: '26000', message: `prepared statement "${refers.name}" does not exist` })
    : say({ severity: 'ERROR', sqlstate: '34000', message: `cursor "${refers?.name ?? ''}" does not exist` })
}
