import type { Masked, PolicyRef } from '../../../shared/decision.ts'
import type { Sensitivity } from '../port.ts'
import type { StatementAnalysis } from './analysis.ts'

/** What the session does to every value of a result column. `value`: for text types; other types become NULL. */
export type ColumnMask = { kind: 'value'; mask(value: string): string | null } | { kind: 'null' }

/** `columns` runs parallel to the statement's outputs; null is a column that passes as it is. */
export type MaskPlan =
  | { ok: true; columns: readonly (ColumnMask | null)[]; masked: readonly Masked[] }
  | { ok: false; policy: PolicyRef; message: string; hint: string; columns: readonly Masked[] }

export type SensitivityOf = (schema: string, table: string, column: string) => Sensitivity | undefined

/**
 * Turns an analysis into masks for one person, or into a refusal in words.
 * `anyMasked` false says that no column of this connection is masked for this person: then nothing needs proof.
 */
export function planMasks(
  statement: StatementAnalysis,
  _sensitivity: SensitivityOf,
  _options: { anyMasked: boolean } = { anyMasked: true },
): MaskPlan {
  const policy = { id: 'sallyport/unprovable', reason: 'This statement is not analysed.' }
  return { ok: false, policy, message: `Blocked: ${statement.node}`, hint: '', columns: [] }
}
