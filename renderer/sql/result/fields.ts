import type { Grant } from '../../../shared/decision.ts'
import type { Rearrangement, ResultColumn } from '../../../shared/rpc/contract.ts'

export type Filter = Rearrangement['filters'][number]
export type Operator = Filter['operator']

export const operators: Readonly<Record<Operator, string>> = {
  contains: 'contains',
  equals: 'is',
  differs: 'is not',
  less: 'is less than',
  greater: 'is more than',
  null: 'is NULL',
  'not-null': 'is not NULL',
}

export function takesValue(operator: Operator): boolean {
  return operator !== 'null' && operator !== 'not-null'
}

/** A column's name, with its number where another has the same: `?column? (2)`. */
export function columnLabel(columns: readonly Pick<ResultColumn, 'name'>[], index: number): string {
  const name = columns[index]?.name
  if (name === undefined) return String(index + 1)
  return columns.some((other, i) => i !== index && other.name === name) ? `${name} (${index + 1})` : name
}

/** A filter in words: `status is "captured"`. */
export function filterWords({ column, operator, value }: Filter, columns: readonly ResultColumn[]): string {
  return `${columnLabel(columns, column)} ${operators[operator]}${takesValue(operator) ? ` “${value}”` : ''}`
}

/** Names of masked columns that one of these grants has shown since the result came. */
export function shownSince(
  columns: readonly ResultColumn[],
  grants: readonly Pick<Grant, 'actions' | 'dataClasses' | 'startsAt'>[],
  since: number,
): string[] {
  const newer = grants.filter(({ actions, startsAt }) => actions.includes('unmask') && Date.parse(startsAt) >= since)
  // One without classes is for all of them.
  const covers = (dataClass: string) =>
    newer.some(({ dataClasses }) => dataClasses.length === 0 || dataClasses.includes(dataClass))
  return columns.flatMap(({ name, masked }) => (masked !== undefined && covers(masked.dataClass) ? [name] : []))
}

export function isNumber(type: string): boolean {
  return numbers.has(type)
}

const numbers = new Set(['int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'oid', 'money'])

/** Why a masked column can't be sorted or filtered by. */
export function maskedReason({ name, masked }: ResultColumn): string | undefined {
  if (masked === undefined) return undefined
  return `${name} is masked by ${masked.policyId}: its order, or what matches, would tell what the mask hides.`
}
