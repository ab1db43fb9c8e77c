import type { Masked, PolicyRef } from '../../../../shared/decision.ts'
import type { ByteMask, Sensitivity } from '../../port.ts'
import type { ColumnId, ColumnUse, OutputColumn, StatementAnalysis } from '../analysis.ts'
import { splitId } from '../sql/ids.ts'
import { isProtected } from '../sql/protected.ts'

/**
 * What the session does to every value of a result column. `value`: for text types; other types become what `others` says.
 * `scan`: what is sensitive in it is replaced where it stands.
 */
export type ColumnMask =
  | {
      kind: 'value'
      mask(value: string): string | null
      maskBytes?: ByteMask | undefined
      others?: 'null' | 'fixed' | undefined
    }
  | { kind: 'scan'; plain: boolean; mask(value: string): string | null }
  | { kind: 'null' }

/** A fixed value is written differently in text and binary. */
export function dependsOnFormat(mask: ColumnMask | null): boolean {
  return mask?.kind === 'value' && mask.others === 'fixed'
}

/**
 * `columns` runs parallel to the statement's outputs (or COPY's columns); null is a column that passes as it is.
 * It is empty where there is no result, or nothing to mask in it.
 */
export type MaskPlan =
  | { ok: true; columns: readonly (ColumnMask | null)[]; masked: readonly Masked[] }
  | { ok: false; policy: PolicyRef; message: string; hint: string; columns: readonly Masked[] }

export type SensitivityOf = (schema: string, table: string, column: string) => Sensitivity | undefined

/** The policy of a block that is no policy's own. */
export const unprovable = 'sallyport/unprovable'

/** A sensitivity whose values this person does not see. */
type Hidden = Sensitivity & { unmask: Extract<Sensitivity['unmask'], { verdict: 'masked' }> }

/**
 * Turns an analysis into masks for one person, or into a refusal in words.
 * `anyMasked` false says that no column of this connection is masked for this person: then nothing needs proof.
 */
export function planMasks(
  statement: StatementAnalysis,
  sensitivity: SensitivityOf,
  options: { anyMasked: boolean } = { anyMasked: true },
): MaskPlan {
  if (!options.anyMasked) return { ok: true, columns: [], masked: [] }
  const hidden = lookup(sensitivity)
  if (statement.refers)
    return unproved('it runs a statement that was named before, and which one is not known here', statement, hidden)
  if (!statement.complete) return unproved(statement.doubt ?? 'not all that it does is known', statement, hidden)

  const forbidden = statement.uses.filter((use) => {
    const found = hidden(use.column)
    return found !== undefined && !permits(found, use.how)
  })
  const misuses = forbidden.filter(({ how }) => how !== 'compute')
  // What the statement says itself is what people can change.
  const misuse = misuses.find(({ column }) => statement.readers?.has(column) !== true) ?? misuses[0]
  if (misuse) return refusedUse(misuse, statement, hidden)

  const { copyOut } = statement
  const outputs = copyOut?.columns ?? statement.outputs ?? []
  const columns: (ColumnMask | null)[] = []
  const masked: Masked[] = []
  for (const [position, output] of outputs.entries()) {
    const hiddenSources = output.sources.flatMap((column) => {
      const found = hidden(column)
      return found ? [{ column, found }] : []
    })
    const [first] = hiddenSources
    if (!first) {
      columns.push(null)
      continue
    }
    if (copyOut && copyOut.format !== 'text') return refusedCopy(first.column, first.found, output, position)
    const secret = hiddenSources.find(({ found }) => found.scanned === undefined)
    if (!secret && (output.plain || output.whole === true)) {
      columns.push({ kind: 'scan', plain: output.plain, mask: first.found.mask })
      masked.push(...maskedWithin(first.column, first.found, output.name, position))
      continue
    }
    const blocking = output.plain ? undefined : hiddenSources.find(({ found }) => found.derived === 'block')
    if (blocking) return refusedDerived(blocking.column, blocking.found, output, position)
    const { column, found } = secret ?? first
    columns.push(maskOf(output, found))
    masked.push(maskedAs(column, found, output.name, position))
  }
  // What is computed and not shown may still fail, and so show what it was.
  const [computed] = forbidden
  if (computed) return refusedUse(computed, statement, hidden)
  return { ok: true, columns: masked.length === 0 ? [] : columns, masked }
}

function maskOf(output: OutputColumn, found: Hidden): ColumnMask {
  if (!output.plain || found.dataClass === closed.dataClass) return { kind: 'null' }
  return { kind: 'value', mask: (value) => found.mask(value), maskBytes: found.maskBytes, others: found.others }
}

function permits(found: Hidden, how: ColumnUse['how']): boolean {
  if (how === 'write') return false
  if (found.use === 'any') return true
  if (how === 'compute') return found.derived !== 'block'
  return how === 'lookup' && found.use === 'lookup'
}

/** The server's own columns that would show what is masked elsewhere. */
const closed: Hidden = {
  dataClass: 'server internals',
  unmask: {
    verdict: 'masked',
    policy: { id: unprovable, reason: "It can show other tables' values, other people's statements, or secrets." },
  },
  use: 'none',
  derived: 'null',
  mask: () => null,
}

/** Sensitivities by column id, asked for once each. */
function lookup(sensitivity: SensitivityOf): (column: ColumnId) => Hidden | undefined {
  const known = new Map<ColumnId, Hidden | undefined>()
  return (id) => {
    if (known.has(id)) return known.get(id)
    const [schema = '', table = '', column = ''] = splitId(id)
    const found = sensitivity(schema, table, column)
    const hidden = found && isHidden(found) ? found : isProtected(schema, table, column) ? closed : undefined
    known.set(id, hidden)
    return hidden
  }
}

function isHidden(found: Sensitivity): found is Hidden {
  return found.unmask.verdict === 'masked'
}

function maskedAs(source: ColumnId, { dataClass, unmask }: Hidden, label: string, position: number): Masked {
  return { source, label, position, dataClass, policy: unmask.policy, requestable: unmask.approval !== undefined }
}

/** Of a column whose text is searched: each class that may be found there. */
function maskedWithin(source: ColumnId, found: Hidden, label: string, position: number): Masked[] {
  return (found.scanned ?? []).flatMap(({ dataClass, unmask }) =>
    unmask.verdict === 'masked' ? [maskedAs(source, { ...found, dataClass, unmask }, label, position)] : [],
  )
}

function blocked(
  column: ColumnId,
  found: Hidden,
  what: string,
  instead: string,
  at?: { label: string; position: number },
): MaskPlan {
  const { policy } = found.unmask
  const ask = asking([found])
  return {
    ok: false,
    policy,
    message: `${what}. Nothing ran.`,
    hint: `${instead}${ask}.`,
    columns: [maskedAs(column, found, at?.label ?? '', at?.position ?? -1)],
  }
}

/** How to come to see them, where there is a way. */
function asking(found: readonly Hidden[]): string {
  const classes = new Set<string>()
  const groups = new Set<string>()
  for (const { dataClass, unmask } of found) {
    if (unmask.approval === undefined) continue
    classes.add(dataClass)
    groups.add(unmask.approval.group)
  }
  if (classes.size === 0) return ''
  const who = `${[...groups].join(', ')} ${groups.size === 1 ? 'approves' : 'approve'}`
  return `, or request unmask of ${[...classes].join(', ')} on this connection (${who})`
}

function refusedUse(
  { column, how }: ColumnUse,
  statement: StatementAnalysis,
  hidden: (id: ColumnId) => Hidden | undefined,
): MaskPlan {
  const found = hidden(column)
  if (!found) return unproved('a use of a column could not be judged', statement, hidden)
  const name = `${column} (${found.dataClass})`
  const who = statement.readers?.get(column)
  if (who !== undefined) {
    return blocked(
      column,
      found,
      `${who} looks at ${name}, which is masked for you`,
      'Leave out what runs that code, or have it read other columns',
    )
  }
  if (how === 'write') {
    return blocked(
      column,
      found,
      `it would put ${name}, which is masked for you, where nothing masks it`,
      `Leave ${column} out of it`,
    )
  }
  const instead =
    found.use === 'lookup'
      ? `Compare ${column} with a constant by = or IN, or leave it to the select list`
      : `Use ${column} in the select list alone`
  const what =
    how === 'compute'
      ? `it computes something from ${name}, which is masked for you`
      : `it filters, joins, sorts, groups or computes by ${name}, which is masked for you`
  return blocked(column, found, what, instead)
}

function refusedDerived(column: ColumnId, found: Hidden, { name }: OutputColumn, position: number): MaskPlan {
  const what = `the column "${name}" is computed from ${column} (${found.dataClass}), which is masked for you`
  const instead = found.scanned
    ? `Select ${column} or a field of it as it is, to see it with what is sensitive masked`
    : `Select ${column} as it is, to see it masked`
  return blocked(column, found, what, instead, { label: name, position })
}

function refusedCopy(column: ColumnId, found: Hidden, { name }: OutputColumn, position: number): MaskPlan {
  const what = `it copies ${column} (${found.dataClass}), which is masked for you, in a format that can't be masked`
  return blocked(column, found, what, 'Copy in the default text format, or leave the column out', {
    label: name,
    position,
  })
}

/** What isn't known may reach anything. */
function unproved(why: string, statement: StatementAnalysis, hidden: (id: ColumnId) => Hidden | undefined): MaskPlan {
  const read = statement.columns.flatMap((column) => {
    const found = hidden(column)
    return found ? [{ column, found }] : []
  })
  const ask =
    read.length > 0
      ? asking(read.map(({ found }) => found))
      : ', or request unmask of what is masked for you on this connection'
  return {
    ok: false,
    policy: { id: unprovable, reason: 'It can’t be proved that this shows nothing that is masked for you.' },
    message: `${why}, so it can't be proved that it shows nothing masked.${readsWords(read)} Nothing ran.`,
    hint: `Write it with tables, columns and functions that are known here${ask}.`,
    columns: read.map(({ column, found }) => maskedAs(column, found, '', -1)),
  }
}

const mostNamed = 3

function readsWords(read: readonly { column: ColumnId; found: Hidden }[]): string {
  if (read.length === 0) return ''
  const named = read.slice(0, mostNamed).map(({ column, found }) => `${column} (${found.dataClass})`)
  const more = read.length > mostNamed ? ` and ${read.length - mostNamed} more` : ''
  return ` It reads ${named.join(', ')}${more}, masked for you.`
}
