import { expressions, type Kind, type Parts } from './expressions.ts'
import { classes, shelved, typeOf } from './schema.ts'

const literals: Readonly<Record<Kind, string>> = {
  text: "'lit'",
  int: '7',
  bool: 'true',
  date: "date '2024-01-01'",
  json: `'{"a": 1}'::jsonb`,
  array: "array['x']",
  other: 'null::text',
}

export interface Column {
  name: string
  kind: Kind
  /** Which class masks it; unset where none does. */
  masked?: 's' | 'c' | 'l'
}

export interface Item {
  sql: string
  alias: string
  columns: readonly Column[]
}

const kinds: Readonly<Record<string, Kind>> = {
  text: 'text',
  'varchar(12)': 'text',
  'char(12)': 'text',
  short: 'text',
  int: 'int',
  bigint: 'int',
  numeric: 'int',
  float8: 'int',
  boolean: 'bool',
  date: 'date',
  timestamptz: 'date',
  jsonb: 'json',
  json: 'json',
  'text[]': 'array',
  'int[]': 'array',
}

const plainVault = list('id:int grp:int name:text val:int day:date doc:json tags:array')
const few = list('s_t:text s_i:int c_t:text c_i:int')
const vault: Column[] = [
  ...plainVault,
  ...classes.flatMap((masked) =>
    Object.entries(typeOf).map(
      ([letter, type]): Column => ({ name: `${masked}_${letter}`, kind: kinds[type] ?? 'other', masked }),
    ),
  ),
  { name: 'up', kind: 'text', masked: 'c' },
  { name: 'more', kind: 'int', masked: 's' },
]

/** Tables and views, those with much that is masked more often. */
const relations: readonly (readonly [name: string, columns: readonly Column[]])[] = [
  ['vault', vault],
  ['vault', vault],
  ['vault', vault],
  ['everything', vault],
  ['ledger', [...list('id:int vault_id:int memo:text'), ...few]],
  ['parts', [...list('id:int grp:int note:text'), ...few]],
  ['elder', list('id:int note:text s_t:text c_i:int')],
  ['plain', list('id:int grp:int name:text val:int day:date')],
  ['lowered', [...list('id:int grp:int name:text'), ...as('c', 'looked:text'), ...as('s', 'low:text next:int')]],
  ['totals', [...list('grp:int n:int least:int'), ...as('s', 'top:text total:int')]],
  ['joined', [...list('id:int name:text memo:text s_t:text'), ...as('c', 'both:text')]],
  ['barred', list('id:int name:text val:int s_t:text c_t:text l_t:text')],
  ['kept', list('id:int grp:int name:text s_t:text c_i:int l_t:text')],
  ['all_of(1)', vault],
  ...Array.from({ length: shelved }, (_, n): [string, Column[]] => [
    `shelf_${n}`,
    [...list('id:int y:text'), ...as('c', 'x:text')],
  ]),
  ['names(2)', [...list('id:int name:text'), ...as('c', 'c:text')]],
]

function list(text: string): Column[] {
  return text.split(' ').map((part) => {
    const [name = '', kind = ''] = part.split(':')
    const masked = /^([scl])_/.exec(name)?.[1]
    const column = { name, kind: isKind(kind) ? kind : 'other' } as const
    return masked === 's' || masked === 'c' || masked === 'l' ? { ...column, masked } : column
  })
}

function as(masked: 's' | 'c' | 'l', text: string): Column[] {
  return list(text).map((column) => ({ ...column, masked }))
}

function isKind(text: string): text is Kind {
  return text in literals
}

/**
 * Writes SQL from a tape of numbers, so that what it wrote can be shrunk and had again. What may be shown is often masked; what steers a
 * statement seldom is, so that most of what is written is let through.
 */
export class Writer {
  readonly #tape: readonly number[]
  #at = 0
  #aliases = 0

  constructor(tape: readonly number[]) {
    this.#tape = tape
  }

  /** 0 … n-1. Beyond the tape it is always 0, the simplest choice. */
  pick(n: number): number {
    return (this.#tape[this.#at++] ?? 0) % n
  }

  one<T>(from: readonly [T, ...T[]]): T {
    return from[this.pick(from.length)] ?? from[0]
  }

  /** One in `n`. */
  seldom(n: number): boolean {
    return this.pick(n) === n - 1
  }

  maybe(text: string): string {
    return this.pick(2) === 0 ? '' : text
  }

  alias(): string {
    return `t${this.#aliases++}`
  }

  relation(): Item {
    const [sql, columns] = relations[this.pick(relations.length)] ?? ['plain', []]
    const alias = this.alias()
    return { sql: `${sql} ${alias}`, alias, columns }
  }

  /** A table of one's own choice. */
  table(name: string): Item {
    const found = relations.find(([known]) => known === name)
    const alias = this.alias()
    return { sql: `${name} ${alias}`, alias, columns: found?.[1] ?? [] }
  }

  /** A column's name alone: masked or not. */
  masked(of: Item, kind?: Kind): string {
    return this.#columnOf(of, (column) => column.masked !== undefined && (kind === undefined || column.kind === kind))
  }

  open(of: Item, kind?: Kind): string {
    return this.#columnOf(of, (column) => column.masked === undefined && (kind === undefined || column.kind === kind))
  }

  #columnOf(of: Item, fits: (column: Column) => boolean): string {
    const all = of.columns.filter(fits)
    return all[this.pick(Math.max(all.length, 1))]?.name ?? of.columns[0]?.name ?? 'id'
  }

  from(depth = 1): { sql: string; items: Item[] } {
    const first = depth > 0 && this.seldom(5) ? this.nested(depth) : this.relation()
    if (!this.seldom(3)) return { sql: first.sql, items: [first] }
    const second = this.seldom(4) ? this.#spread(first) : this.relation()
    const items = [first, second]
    if (second.sql.startsWith('lateral ')) return { sql: `${first.sql}, ${second.sql}`, items }
    const how = this.one(['join', 'left join', 'right join', 'full join'])
    const [left, right] = [this.open(first, 'int'), this.open(second, 'int')]
    return { sql: `${first.sql} ${how} ${second.sql} on ${first.alias}.${left} = ${second.alias}.${right}`, items }
  }

  /** Rows that a function makes of a row. */
  #spread(of: Item): Item {
    const alias = this.alias()
    const calls = [
      `generate_series(1, ${this.steering('int', [of])}) ${alias}(x)`,
      `unnest(${this.shown('array', [of], 0)}) ${alias}(x)`,
      `jsonb_each_text(to_jsonb(${of.alias})) ${alias}(x, y)`,
      `regexp_split_to_table(${this.shown('text', [of], 0)}, 'a') ${alias}(x)`,
      `json_array_elements(json_build_array(${this.shown('text', [of], 0)})) ${alias}(x)`,
      `unnest(array[${this.shown('text', [of], 0)}, ${this.shown('text', [of], 0)}]) with ordinality ${alias}(x, y)`,
      `string_to_table(${this.shown('text', [of], 0)}, 'a') ${alias}(x)`,
    ]
    return {
      sql: `lateral ${calls[this.pick(calls.length)]}`,
      alias,
      columns: [{ name: 'x', kind: 'other', masked: 'c' }],
    }
  }

  nested(depth: number): Item {
    const alias = this.alias()
    const { sql, items } = this.from(depth - 1)
    const outs = (['text', 'int', 'text'] as const).map((kind, i): { sql: string; column: Column } => {
      const masked = this.pick(2) === 0
      const value = masked ? this.shown(kind, items, 1) : this.steering(kind, items)
      return { sql: `${value} as x${i}`, column: { name: `x${i}`, kind, ...(masked ? { masked: 'c' } : {}) } }
    })
    return {
      sql: `(select ${outs.map((out) => out.sql).join(', ')} from ${sql}) ${alias}`,
      alias,
      columns: outs.map(({ column }) => column),
    }
  }

  /** What is only shown: often a masked column as it is, or what is computed from those that may be. */
  shown(kind: Kind, items: readonly Item[], depth = 2): string {
    if (this.pick(2) === 0) return this.#column(kind, items, ({ masked }) => masked !== undefined)
    const daring = this.seldom(20)
    return this.#expression(kind, items, depth, ({ masked }) =>
      masked === 's' ? daring : masked !== undefined || this.pick(2) === 0,
    )
  }

  /** What decides which rows there are, and how many. */
  steering(kind: Kind, items: readonly Item[], depth = 1): string {
    const daring = this.seldom(30)
    return this.#expression(kind, items, depth, ({ masked }) => daring || masked === undefined)
  }

  #column(kind: Kind, items: readonly Item[], fits: (column: Column) => boolean): string {
    const all = items.flatMap(({ alias, columns }) =>
      columns.filter((column) => column.kind === kind && fits(column)).map(({ name }) => `${alias}.${name}`),
    )
    return all[this.pick(Math.max(all.length, 1))] ?? literals[kind]
  }

  #expression(kind: Kind, items: readonly Item[], depth: number, fits: (column: Column) => boolean): string {
    const column = (of: Kind = kind) => this.#column(of, items, fits)
    if (depth <= 0 || this.pick(4) === 0) return column()
    const parts: Parts = {
      of: (inner) => this.#expression(inner, items, depth - 1, fits),
      column,
      condition: () => this.condition(items),
      steering: (inner) => this.steering(inner, items, 0),
      row: items[this.pick(Math.max(items.length, 1))]?.alias ?? "'x'",
      n: this.pick(6),
      pick: (n) => this.pick(n),
    }
    const { safe, risky } = expressions[kind]
    const from = this.seldom(8) ? risky : safe
    return from[this.pick(Math.max(from.length, 1))]?.(parts) ?? column()
  }

  /** Which rows there are. */
  condition(items: readonly Item[]): string {
    const item = items[this.pick(Math.max(items.length, 1))]
    const looked = item?.columns.filter(({ masked }) => masked === 'l') ?? []
    const column = looked[this.pick(Math.max(looked.length, 1))]
    if (item && column?.kind === 'text' && this.pick(3) === 0) {
      return this.one([
        `${item.alias}.${column.name} = 'nobody'`,
        `${item.alias}.${column.name} in ('no', 'body')`,
        `'nobody' = ${item.alias}.${column.name}`,
      ])
    }
    const int = () => this.steering('int', items)
    return this.one([
      `${int()} < ${this.pick(20)}`,
      `${int()} = ${int()}`,
      `${this.steering('text', items)} like '%1%'`,
      `${this.steering('text', items)} is not null`,
      `exists (select from plain z where z.id = ${int()})`,
      `${int()} in (select z.id from plain z where z.val > ${this.pick(5)})`,
      `not (${int()} > ${int()})`,
    ])
  }

  /** One to three columns of a result. */
  targets(items: readonly Item[]): string {
    if (this.seldom(8)) return items.length > 0 && this.pick(2) === 0 ? `${items[0]?.alias}.*` : '*'
    if (this.seldom(8)) return `${items[0]?.alias}`
    return Array.from({ length: 1 + this.pick(3) }, () =>
      this.shown(this.one(['text', 'int', 'text', 'other', 'json', 'date', 'array', 'bool']), items),
    ).join(', ')
  }

  query(depth = 1): string {
    const { sql, items } = this.from(depth)
    const where = this.maybe(` where ${this.condition(items)}`)
    const order = this.maybe(
      ` order by ${this.steering('int', items, 0)}, ${items.map(({ alias }) => `${alias}::text`).join(', ') && '1'}`,
    )
    const limit = this.seldom(4)
      ? ` limit ${this.one([String(this.pick(5)), `(select ${this.steering('int', [], 0)} + count(*) from plain)`])}`
      : ''
    const lock = this.seldom(10)
      ? this.one([' for update', ' for share skip locked', ` for no key update of ${items[0]?.alias ?? ''}`])
      : ''
    return `select ${this.targets(items)} from ${sql}${where}${order}${limit}${lock}`
  }
}
