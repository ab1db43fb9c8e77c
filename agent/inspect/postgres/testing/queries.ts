/** Random queries over the tables of `lineage.property.test.ts`, from a tape of numbers, so that one can be shrunk and repeated. */

type Type = 'text' | 'int'
interface Column {
  name: string
  type: Type
}
interface Item {
  sql: string
  alias: string
  columns: Column[]
}

const tables: Record<string, Column[]> = {
  customers: columns('id:int name:text email:text country:text'),
  orders: columns('id:int customer_id:int status:text total:int'),
  notes: columns('id:int note:text'),
  contacts: columns('id:int address:text who:text'),
  people: columns('id:int label:text size:int'),
}

export function randomQuery(tape: readonly number[]): string {
  return new Writer(tape).query(3, []).sql
}

class Writer {
  readonly #tape: readonly number[]
  #at = 0
  #aliases = 0

  constructor(tape: readonly number[]) {
    this.#tape = tape
  }

  /** `outer`: FROM items of the queries around it, for correlation. */
  query(depth: number, outer: readonly Item[]): { sql: string; columns: Column[] } {
    const kind = depth <= 0 ? 0 : this.#pick(11)
    if (kind === 9) return this.#recursive(depth, outer)
    if (kind === 10) return this.#values(depth, outer)
    if (kind === 6) return this.#union(depth, outer)
    if (kind === 7) return this.#withQuery(depth, outer)
    if (kind === 8) return this.#grouped(depth, outer)
    const { sql, items } = this.#from(depth, outer)
    const all = [...items, ...outer]
    const star = this.#pick(5)
    const list = star === 0 ? undefined : this.#targets(depth, all)
    const [first] = items
    const selected = list
      ? {
          sql: list.map(({ sql: text, as }) => (as ? `${text} as ${as}` : text)).join(', '),
          columns: list.map(({ column }) => column),
        }
      : star === 0 && first && this.#pick(2) === 0
        ? { sql: `${first.alias}.*`, columns: first.columns }
        : { sql: '*', columns: items.flatMap((item) => item.columns) }
    const keys = this.#pick(2) === 0 ? 'distinct ' : `distinct on (${this.#expression('int', 1, items)}) `
    const distinct = this.#pick(8) === 0 ? keys : ''
    const where = this.#pick(2) === 0 ? ` where ${this.#condition(depth, all)}` : ''
    const order = this.#pick(5) === 0 && !distinct ? ` order by ${this.#expression('text', depth - 2, items)}` : ''
    return { sql: `select ${distinct}${selected.sql}${sql}${where}${order}`, columns: selected.columns }
  }

  #targets(depth: number, all: readonly Item[]) {
    return Array.from({ length: 1 + this.#pick(3) }, () => {
      const type: Type = this.#pick(3) === 0 ? 'int' : 'text'
      const sql = this.#expression(type, depth - 1, all)
      const as = this.#pick(3) === 0 ? undefined : `x${this.#aliases++}`
      return { sql, as, column: { name: as ?? '', type } }
    })
  }

  #union(depth: number, outer: readonly Item[]) {
    const arms = [0, 1].map(() => {
      const { sql, items } = this.#from(depth - 1, outer)
      return `select ${this.#expression('text', depth - 1, items)} as u, ${this.#expression('int', depth - 1, items)} as v${sql}`
    })
    const operator = ['union all', 'union all', 'union', 'intersect', 'except'][this.#pick(5)]
    return { sql: `${arms[0]} ${operator} ${arms[1]}`, columns: columns('u:text v:int') }
  }

  /** Values that a row before brought go on into the next. */
  #recursive(depth: number, outer: readonly Item[]) {
    const name = `r${this.#aliases++}`
    const { sql, items } = this.#from(depth - 2, [])
    const step: Item = { sql: name, alias: name, columns: columns('n:int v:text w:text') }
    const other = this.#item(0)
    const all = [step, other]
    const start = `select 1, ${this.#expression('text', depth - 1, items)}, ${this.#expression('text', 0, items)}${sql}`
    const next = `select ${name}.n + 1, ${this.#expression('text', depth - 1, all)}, ${this.#expression('text', 1, all)} from ${name}, ${other.sql} where ${name}.n < 2 and ${this.#condition(0, all)}`
    const targets = this.#targets(depth, [step, ...outer]).map(({ sql: text, as, column }, i) => ({
      sql: `${text} as ${as ?? `z${i}`}`,
      column: { name: as ?? `z${i}`, type: column.type },
    }))
    return {
      sql: `with recursive ${name}(n, v, w) as (${start} union all ${next}) select ${targets.map((target) => target.sql).join(', ')} from ${name}`,
      columns: targets.map(({ column }) => column),
    }
  }

  #values(depth: number, outer: readonly Item[]) {
    const row = () => `(${this.#expression('text', depth - 1, outer)}, ${this.#expression('int', depth - 1, outer)})`
    return { sql: `values ${row()}, ${row()}`, columns: columns('column1:text column2:int') }
  }

  #withQuery(depth: number, outer: readonly Item[]) {
    const name = this.#pick(4) === 0 ? 'notes' : `w${this.#aliases++}`
    const inner = this.#named(this.query(depth - 1, []))
    const alias = `t${this.#aliases++}`
    const item: Item = { sql: '', alias, columns: inner.columns }
    const recursive = this.#pick(3) === 0 ? 'recursive ' : ''
    const targets = this.#targets(depth, [item, ...outer])
    const list = targets.map(({ sql, as }, i) => `${sql} as ${as ?? `y${i}`}`).join(', ')
    return {
      sql: `with ${recursive}${name}(${inner.columns.map((column) => column.name).join(', ')}) as (${inner.sql}) select ${list} from ${name} ${alias}`,
      columns: targets.map(({ as, column }, i) => ({ name: as ?? `y${i}`, type: column.type })),
    }
  }

  #grouped(depth: number, outer: readonly Item[]) {
    const { sql, items } = this.#from(depth - 1, outer)
    const key = this.#expression('text', 0, items)
    const value = this.#expression('text', 1, items)
    const number = this.#expression('int', 1, items)
    const aggregate = ['max', 'min', 'count', 'json_agg', 'string_agg', 'array_agg', 'jsonb_agg'][this.#pick(7)]
    const order = this.#pick(4) === 0 ? ` order by ${this.#expression('text', 0, items)}` : ''
    const filter = this.#pick(4) === 0 ? ` filter (where ${this.#condition(0, items)})` : ''
    const call = `${aggregate}(${value}${aggregate === 'string_agg' ? ", ','" : ''}${order})${filter}`
    const by = ['group by 1', 'group by rollup (1)', 'group by grouping sets ((1), ())'][this.#pick(3)]
    const having = this.#pick(4) === 0 ? ` having count(*) > ${this.#pick(2)}` : ''
    const columnsOut = columns('k:text a:text n:int')
    return {
      sql: `select ${key} as k, ${call}::text as a, sum(${number})::int as n${sql} ${by}${having}`,
      columns: columnsOut,
    }
  }

  #from(depth: number, outer: readonly Item[]): { sql: string; items: Item[] } {
    const first = this.#item(depth)
    const items = [first]
    let sql = first.sql
    if (this.#pick(2) === 0) {
      const how = this.#pick(7)
      if (how === 5 || how === 6) return this.#taken(sql, first, how === 5)
      const lateral = how === 4 && depth > 0
      const second = lateral ? this.#subquery(depth - 1, [first, ...outer], 'lateral ') : this.#item(depth)
      items.push(second)
      const kind = ['join', 'left join', 'right join', 'full join'][this.#pick(3)]
      if (how === 0) sql += ` cross join ${second.sql}`
      else if (how === 1) sql += ` ${kind} ${second.sql} using (id)`
      else if (how === 2) sql += ` natural ${kind} ${second.sql}`
      else if (lateral) sql += `, ${second.sql}`
      else sql += ` ${kind} ${second.sql} on ${this.#condition(0, items)}`
    }
    return { sql: ` from ${sql}`, items }
  }

  /** A row or an array taken apart by a function. */
  #taken(sql: string, first: Item, row: boolean): { sql: string; items: Item[] } {
    const alias = `t${this.#aliases++}`
    const call = row
      ? `jsonb_each_text(to_jsonb(${first.alias})) ${alias}(k, v)`
      : `unnest(array[${this.#expression('text', 0, [first])}, ${this.#expression('text', 0, [first])}]) ${alias}(v)`
    const taken: Item = { sql: call, alias, columns: columns(row ? 'k:text v:text' : 'v:text') }
    return { sql: ` from ${sql}, ${call}`, items: [first, taken] }
  }

  #item(depth: number): Item {
    if (depth > 1 && this.#pick(3) === 0) return this.#subquery(depth - 1, [], '')
    const names = Object.keys(tables)
    const table = names[this.#pick(names.length)] ?? 'notes'
    const alias = `t${this.#aliases++}`
    return { sql: `${table} ${alias}`, alias, columns: tables[table] ?? [] }
  }

  #subquery(depth: number, outer: readonly Item[], prefix: string): Item {
    const inner = this.#named(this.query(depth, outer))
    const alias = `t${this.#aliases++}`
    return {
      sql: `${prefix}(${inner.sql}) ${alias}(${inner.columns.map((c) => c.name).join(', ')})`,
      alias,
      columns: inner.columns,
    }
  }

  #named(inner: { sql: string; columns: Column[] }) {
    return { sql: inner.sql, columns: inner.columns.map(({ type }) => ({ name: `c${this.#aliases++}`, type })) }
  }

  #expression(type: Type, depth: number, items: readonly Item[]): string {
    const choice = depth <= 0 ? 0 : this.#pick(type === 'text' ? 22 : 9)
    const text = () => this.#expression('text', depth - 1, items)
    const int = () => this.#expression('int', depth - 1, items)
    if (type === 'int') {
      if (choice === 3) return `length(${text()})`
      if (choice === 4) return `(${int()} + ${int()})`
      if (choice === 5) return `(select count(*)::int from ${this.#subquery(depth - 2, items, '').sql})`
      if (choice === 6) return `row_number() over (order by ${int()})::int`
      if (choice === 7) return `coalesce(${int()}, array_length(array[${text()}, ${text()}], 1))`
      return this.#column('int', items) ?? '7'
    }
    if (choice === 4) return `lower(${text()})`
    if (choice === 5) return `(${text()} || ${text()})`
    if (choice === 6) return `coalesce(${text()}, 'none')`
    if (choice === 7) return `case when ${this.#condition(depth - 1, items)} then ${text()} else ${text()} end`
    if (choice === 8) return `(select max(z.v) from (${this.#scalar(depth - 2, items)}) z(v))`
    if (choice === 9) return `${text()}::text`
    if (choice === 10) return this.#rowText(items)
    if (choice === 11) return `(${int()})::text`
    if (choice === 12) return this.#field(items)
    if (choice === 13) return `row(${text()}, ${int()})::text`
    if (choice === 14) return `array_to_string(array[${text()}, ${text()}], ',')`
    if (choice === 15) return `nullif(${text()}, ${text()})`
    if (choice === 16) return `greatest(${text()}, ${text()})`
    if (choice === 17) return `substring(${text()} from 1 for 2)`
    if (choice === 18) return `first_value(${text()}) over (partition by ${int()} order by ${int()})`
    if (choice === 19) return `lag(${text()}) over (order by ${int()})`
    if (choice === 20) return `(array(${this.#scalar(depth - 2, items)}))[1]`
    if (choice === 21) return `json_build_object('k', ${text()})->>'k'`
    return this.#column('text', items) ?? "'lit'"
  }

  #rowText(items: readonly Item[]): string {
    const item = items[this.#pick(Math.max(items.length, 1))]
    return item ? `to_json(${item.alias})::text` : "'x'"
  }

  /** One column by way of its whole row. */
  #field(items: readonly Item[]): string {
    const item = items[this.#pick(Math.max(items.length, 1))]
    const column = item?.columns[this.#pick(Math.max(item.columns.length, 1))]
    if (!item || !column?.name) return "'x'"
    return this.#pick(2) === 0 ? `(${item.alias}).${column.name}::text` : `(to_jsonb(${item.alias})->>'${column.name}')`
  }

  #scalar(depth: number, outer: readonly Item[]): string {
    const item = this.#item(0)
    return `select ${this.#expression('text', depth, [item, ...outer])} from ${item.sql}`
  }

  #condition(depth: number, items: readonly Item[]): string {
    const int = () => this.#expression('int', depth - 1, items)
    const text = () => this.#expression('text', depth - 1, items)
    switch (depth <= 0 ? this.#pick(3) : this.#pick(7)) {
      case 0:
        return `${int()} = ${int()}`
      case 1:
        return `${int()} < ${this.#pick(9)}`
      case 2:
        return `${text()} is not null`
      case 3:
        return `${text()} like '%1%'`
      case 4:
        return `(${this.#condition(depth - 1, items)} or ${this.#condition(depth - 1, items)})`
      case 5:
        return `exists (${this.query(depth - 2, items).sql})`
      default:
        return `${text()} in (${this.#scalar(depth - 2, items)})`
    }
  }

  /** Qualified mostly; bare sometimes, which may find another column than meant, or none. */
  #column(type: Type, items: readonly Item[]): string | undefined {
    const all = items.flatMap((item) =>
      item.columns.filter((c) => c.type === type && c.name).map((c) => ({ item, name: c.name })),
    )
    const found = all[this.#pick(Math.max(all.length, 1))]
    if (!found) return undefined
    return this.#pick(6) === 0 ? found.name : `${found.item.alias}.${found.name}`
  }

  /** 0 … n-1. Beyond the tape it is always 0, the simplest choice. */
  #pick(n: number): number {
    return (this.#tape[this.#at++] ?? 0) % n
  }
}

function columns(text: string): Column[] {
  return text.split(' ').map((part) => {
    const [name = '', type] = part.split(':')
    return { name, type: type === 'int' ? 'int' : 'text' }
  })
}
