import type { Node } from 'libpg-query'
import { objects, parse, strings } from '../parser.ts'

/** Names of columns that a statement touches: `free` ones are in no data class, wherever they are. */
export interface Names {
  free: ReadonlySet<string>
  sensitive: ReadonlySet<string>
}

/** What of a text may be shown: byte offsets of literals, numbers of parameters; and whether its texts are code. */
export interface Harmless {
  offsets: ReadonlySet<number>
  parameters: ReadonlySet<number>
  code: boolean
}

type Constant = { offset: number } | { parameter: number }
type Fields = Record<string, unknown>
type IsFree = (name: string | undefined) => boolean

const none: readonly never[] = []

/** Literals and parameters that are plainly compared with, or assigned to, a free column, or count rows. */
export function harmlessIn(text: string, { free, sensitive }: Names): Harmless {
  const parsed = parse(text)
  const statements = parsed.ok ? parsed.statements : []
  const renamed = new Set<string>()
  for (const { node } of statements) for (const one of records(node)) for (const name of renames(one)) renamed.add(name)
  const isFree: IsFree = (name) => name !== undefined && free.has(name) && !sensitive.has(name) && !renamed.has(name)
  const offsets = new Set<number>()
  /** Places of each parameter that are not harmless. */
  const places = new Map<number, number>()
  const count = (number: number, by: number): void => void places.set(number, (places.get(number) ?? 0) + by)
  for (const { node } of statements) {
    for (const one of records(node)) {
      if (isObject(one.ParamRef)) count(Number(one.ParamRef.number ?? 0), 1)
      for (const constant of freeConstants(one, isFree)) {
        if ('offset' in constant) offsets.add(constant.offset)
        else count(constant.parameter, -1)
      }
    }
  }
  const parameters = new Set([...places].flatMap(([number, left]) => (left <= 0 ? [number] : [])))
  return { offsets, parameters, code: statements.some(({ node }) => isCode(node)) }
}

function* records(root: Node): Generator<Fields> {
  for (const one of objects(root)) if (isObject(one)) yield one
}

function isCode(node: Node): boolean {
  return 'DoStmt' in node || 'CreateFunctionStmt' in node
}

/** Names that a part of a statement gives to what others call differently: by them a value goes under a name that says nothing of it. */
function renames(record: Fields): readonly string[] {
  // Both sides of a UNION stand in it without a name of their own.
  if ('SelectStmt' in record || 'larg' in record) {
    return [record.SelectStmt, record.larg, record.rarg].flatMap((select) =>
      isObject(select) && Array.isArray(select.targetList) ? select.targetList.flatMap(renamed) : [],
    )
  }
  const alias = isObject(record.alias) ? record.alias : record.Alias
  if (isObject(alias)) return namesIn(alias.colnames)
  const cte = record.CommonTableExpr
  return isObject(cte) ? namesIn(cte.aliascolnames) : none
}

function renamed(target: unknown): string[] {
  const result = isObject(target) ? target.ResTarget : undefined
  if (!isObject(result) || typeof result.name !== 'string') return []
  return columnName(asNode(result.val)) === result.name ? [] : [result.name]
}

function namesIn(list: unknown): string[] {
  return Array.isArray(list) ? strings(list) : []
}

function freeConstants(record: Fields, isFree: IsFree): readonly Constant[] {
  if (isObject(record.A_Expr)) return compared(record.A_Expr, isFree)
  if (isObject(record.UpdateStmt)) return assigned(record.UpdateStmt.targetList, isFree)
  if (isObject(record.onConflictClause)) return assigned(record.onConflictClause.targetList, isFree)
  if (isObject(record.InsertStmt)) return inserted(record.InsertStmt, isFree)
  if (isObject(record.SelectStmt)) {
    const { limitCount, limitOffset } = record.SelectStmt
    return [...constants(asNode(limitCount)), ...constants(asNode(limitOffset))]
  }
  return none
}

function compared({ lexpr, rexpr }: Record<string, unknown>, isFree: IsFree): Constant[] {
  const [left, right] = [asNode(lexpr), asNode(rexpr)]
  if (isFree(columnName(left))) return constants(right)
  return isFree(columnName(right)) ? constants(left) : []
}

/** A SET list. */
function assigned(list: unknown, isFree: IsFree): Constant[] {
  if (!Array.isArray(list)) return []
  return list.flatMap((target: unknown) => {
    const one = isObject(target) ? target.ResTarget : undefined
    return isObject(one) && typeof one.name === 'string' && isFree(one.name) ? constants(asNode(one.val)) : []
  })
}

/** VALUES, where the columns are named. */
function inserted({ cols, selectStmt }: Record<string, unknown>, isFree: IsFree): Constant[] {
  const select = isObject(selectStmt) ? selectStmt.SelectStmt : undefined
  if (!Array.isArray(cols) || !isObject(select) || !Array.isArray(select.valuesLists)) return []
  const names = cols.map((column: unknown) => {
    const target = isObject(column) ? column.ResTarget : undefined
    return isObject(target) && typeof target.name === 'string' ? target.name : undefined
  })
  return select.valuesLists.flatMap((row: unknown) => {
    const list = isObject(row) ? row.List : undefined
    const items: unknown[] = isObject(list) && Array.isArray(list.items) ? list.items : []
    return items.flatMap((item, i) => (isFree(names[i]) ? constants(asNode(item)) : []))
  })
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}

/** The tree comes from PostgreSQL's own parser; its types say what its fields hold. */
function asNode(value: unknown): Node | undefined {
  return isObject(value) ? (value as Node) : undefined
}

function columnName(node: Node | undefined): string | undefined {
  return node !== undefined && 'ColumnRef' in node ? strings(node.ColumnRef.fields).at(-1) : undefined
}

function constants(node: Node | undefined): Constant[] {
  if (node === undefined) return []
  if ('A_Const' in node) return [{ offset: node.A_Const.location ?? 0 }]
  if ('ParamRef' in node) return [{ parameter: node.ParamRef.number ?? 0 }]
  if ('TypeCast' in node) return constants(node.TypeCast.arg)
  if ('List' in node) return (node.List.items ?? []).flatMap(constants)
  return []
}
