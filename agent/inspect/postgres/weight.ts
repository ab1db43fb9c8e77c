import type { OutputColumn, StatementAnalysis } from './analysis.ts'

/**
 * Roughly the bytes that an analysis keeps alive, with the verdict that is kept on it. A short text can have a large one: each `c,` of
 * a select list is a column with its mask.
 */
export function weightOf(analysis: StatementAnalysis): number {
  const { tables, written, columns, functions, outputs, uses, effects, copyOut } = analysis
  let bytes = 1_024 + 64 * uses.length + 128 * (analysis.readers?.size ?? 0)
  for (const names of [tables, written, columns, functions]) for (const name of names) bytes += 48 + 2 * name.length
  bytes += weightOfColumns(outputs ?? []) + weightOfColumns(copyOut?.columns ?? [])
  for (const effect of effects) {
    bytes += 128
    if (effect.kind === 'set') bytes += 2 * (effect.value?.length ?? 0)
    else if (effect.kind === 'prepare' || effect.kind === 'declare') bytes += weightOf(effect.statement)
    if (effect.kind === 'declare' && effect.moved !== effect.statement) bytes += weightOf(effect.moved)
  }
  return bytes
}

function weightOfColumns(columns: readonly OutputColumn[]): number {
  let bytes = 0
  for (const { name, sources } of columns) bytes += 512 + 2 * name.length + 8 * sources.length
  return bytes
}
