import type { Approval, Masked, PolicyRef } from '../../../shared/decision.ts'
import type { Refusal } from './annotations.ts'
import type { ColumnMask } from './mask/plan.ts'
import type { Shape } from './mask/shape.ts'
import type { Field } from './messages.ts'

/** What happens to a statement, good for as long as the port's epoch stays. */
export type Verdict = { epoch: number } & (
  | { kind: 'block'; refusal: Refusal }
  | { kind: 'hold'; policy: PolicyRef; approval: Approval; run: Run }
  | { kind: 'run'; run: Run }
)

/** How an allowed statement runs. */
export interface Run {
  outcome: 'allowed' | 'masked' | 'granted'
  policy: PolicyRef | undefined
  grantId: string | undefined
  masked: readonly Masked[]
  /** For the record, the same objects every time. */
  recorded: { masks: Masked[] | undefined; tables: string[] | undefined }
  columns: readonly (ColumnMask | null)[]
  /** Written before the result: what is masked, which grant was used. */
  notice: Buffer | undefined
  /** The statement touches masked columns: error text is not to quote values. */
  scrub: boolean
  /** Nothing of this connection is masked for this person, so nothing has to be compared. */
  free: boolean
  /** For the columns that the target described: masks by their types, or why they disagree with the analysis. */
  shape(fields: readonly Field[]): Shape
}
