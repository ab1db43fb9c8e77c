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

/** A filter in words: `status is "captured"`. */
export function filterWords({ column, operator, value }: Filter, columns: readonly ResultColumn[]): string {
  const name = columns[column]?.name ?? String(column + 1)
  return `${name} ${operators[operator]}${takesValue(operator) ? ` “${value}”` : ''}`
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
