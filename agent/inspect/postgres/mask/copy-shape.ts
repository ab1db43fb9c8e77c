import type { Catalog, CatalogColumn, OutputColumn } from '../analysis.ts'
import type { Execution } from '../expected.ts'
import { FrameError } from '../frames.ts'
import { int16At } from '../messages.ts'
import { splitColumn } from '../verdicts.ts'
import { fixedOf } from './fixed.ts'
import type { FieldMask } from './rows.ts'
import { scanOf } from './scan/types.ts'

const textTypes = new Set(['text', 'varchar', 'bpchar', 'name', 'citext'])

/**
 * Masks for COPY … TO STDOUT, whose answer (CopyOutResponse) tells format and number of columns but no types:
 * those are the catalog's. Undefined: every row passes as it is. Throws FrameError when it is not what was expected.
 */
export function copyMasks(
  { judged, run }: Execution,
  catalog: Catalog | undefined,
  buf: Buffer,
  start: number,
  end: number,
): readonly (FieldMask | null)[] | undefined {
  if (run.free) return undefined
  const { copyOut } = judged.analysis
  if (copyOut === undefined) throw new FrameError('the target answered with COPY what is none')
  if (run.columns.every((column) => column === null)) return undefined
  if (buf[start + 5] !== 0 || copyOut.format !== 'text')
    throw new FrameError('COPY in a format that is not masked here')
  if (int16At(buf, start + 6, end) !== copyOut.columns.length || run.columns.length !== copyOut.columns.length) {
    throw new FrameError('the target copies another number of columns than was expected')
  }
  return run.columns.map((mask, i) => {
    if (mask === null || mask.kind === 'null') return mask
    const type = typeOf(copyOut.columns[i], catalog)
    if (mask.kind === 'scan') {
      // What an expression gives is of no known type.
      const find = (text: string): string => mask.mask(text) ?? ''
      return (mask.plain ? scanOf(undefined, type?.typeName, find) : undefined) ?? { kind: 'null' }
    }
    if (type !== undefined && textTypes.has(type.typeName)) return mask
    const fixed = mask.others === 'fixed' && type !== undefined ? fixedOf(type.typeOid) : undefined
    return fixed === undefined ? { kind: 'null' } : { kind: 'fixed', value: fixed }
  })
}

function typeOf(column: OutputColumn | undefined, catalog: Catalog | undefined): CatalogColumn | undefined {
  const [source] = column?.sources ?? []
  if (source === undefined || catalog === undefined) return undefined
  const [schema, table, name] = splitColumn(source)
  return catalog.relation(schema, table, [])?.columns.find((one) => one.name === name)
}
