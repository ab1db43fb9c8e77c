import type { Catalog, CatalogRelation, OutputColumn, StatementAnalysis } from '../analysis.ts'
import type { Field } from '../messages.ts'
import { columnId } from '../sql/ids.ts'
import { identified } from '../sql/relations.ts'
import { fixedOf } from './fixed.ts'
import type { ColumnMask, SensitivityOf } from './plan.ts'
import type { FieldMask } from './rows.ts'
import { scanOf } from './scan/types.ts'

/** The target's description of a result against what the analysis expects. */
export type Shape =
  /** `masks` is undefined when every column passes as it is. */
  { ok: true; masks: readonly (FieldMask | null)[] | undefined } | { ok: false; reason: string }

/** text, varchar, bpchar, name: the same bytes in text and binary format. */
const textTypes = new Set([25, 1043, 1042, 19])

/**
 * Compares number and origin of the columns. Where the target says which table and column a value comes from, the
 * analysis must have known; where it says that a value is an expression, a mask by value becomes NULL.
 */
export function columnsAgree(
  fields: readonly Field[],
  analysis: StatementAnalysis,
  masks: readonly (ColumnMask | null)[],
  catalog: Catalog,
  sensitivity: SensitivityOf,
): Shape {
  const { outputs } = analysis
  if (outputs !== null && outputs.length !== fields.length) {
    return disagree(`it has ${fields.length} columns where ${outputs.length} were expected`)
  }
  if (outputs === null && masks.length > 0 && masks.length !== fields.length) {
    return disagree(`it has ${fields.length} columns where ${masks.length} were expected`)
  }
  const out: (FieldMask | null)[] = []
  let masking = false
  for (const [i, field] of fields.entries()) {
    const mask = masks[i] ?? null
    const origin = originOf(field, catalog)
    const output = outputs?.[i]
    const known = origin === 'unknown' && isFresh(output, field, catalog) ? undefined : origin
    if (known === 'unknown') return disagree(`column ${field.name} comes from a table that the catalog does not know`)
    if (known !== undefined) {
      const reason = output === undefined ? undefined : foreign(known, output)
      if (reason !== undefined) return disagree(`column ${field.name} is ${reason}`)
      if (mask === null && isMasked(known, sensitivity)) {
        return disagree(`column ${field.name} is ${known.id}, which is masked for you`)
      }
    }
    const replaced = mask === null ? null : fieldMask(mask, field, known)
    masking ||= replaced !== null
    out.push(replaced)
  }
  return { ok: true, masks: masking ? out : undefined }
}

interface Origin {
  id: string
  relation: CatalogRelation
  column: CatalogRelation['columns'][number]
}

function originOf(field: Field, catalog: Catalog): Origin | 'unknown' | undefined {
  // System columns (ctid, xmin, tableoid) have negative numbers and hold no data.
  if (field.tableOid === 0 || field.attnum <= 0) return undefined
  const relation = catalog.relationByOid(field.tableOid)
  const column = relation?.columns.find((one) => one.attnum === field.attnum)
  if (relation === undefined || column === undefined) return 'unknown'
  return { id: columnId(relation.schema, relation.name, column.name), relation, column }
}

/** A column that the transaction made, alone or with its table, as the analysis expects: its number at the target is not known. */
function isFresh(output: OutputColumn | undefined, { tableOid }: Field, catalog: Catalog): boolean {
  if (catalog.fresh === undefined || output?.origin === undefined) return false
  const { relation, column } = identified(catalog, output.origin)
  if (relation === undefined) return false
  if (relation.oid < 0) return catalog.relationByOid(tableOid) === undefined
  return relation.oid === tableOid && relation.columns.some(({ name, attnum }) => name === column && attnum === 0)
}

/** Why a value from `origin` is not what the analysis expected; undefined when it is. */
function foreign({ id }: Origin, output: OutputColumn): string | undefined {
  if (output.origin === id || output.sources.includes(id)) return undefined
  return `${id}, which the analysis did not expect`
}

function isMasked({ relation, column }: Origin, sensitivity: SensitivityOf): boolean {
  return sensitivity(relation.schema, relation.name, column.name)?.unmask.verdict === 'masked'
}

function fieldMask(mask: ColumnMask, field: Field, origin: Origin | undefined): FieldMask | null {
  if (mask.kind === 'scan') {
    const typeName = origin?.column.typeOid === field.typeOid ? origin.column.typeName : undefined
    const find = (text: string): string => mask.mask(text) ?? ''
    return scanOf(field.typeOid, typeName, find) ?? { kind: 'null' }
  }
  if (mask.kind === 'null' || origin === undefined) return { kind: 'null' }
  const isText =
    textTypes.has(field.typeOid) || (origin.column.typeOid === field.typeOid && origin.column.typeName === 'citext')
  if (isText) return mask
  const fixed = mask.others === 'fixed' ? fixedOf(field.typeOid) : undefined
  return fixed === undefined ? { kind: 'null' } : { kind: 'fixed', value: fixed }
}

function disagree(reason: string): Shape {
  return { ok: false, reason: `The target describes this result differently from its analysis: ${reason}.` }
}
