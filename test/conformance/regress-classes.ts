import type { Sensitivity } from '../../agent/inspect/port.ts'

/** Columns of the regression suite's own tables that are masked, and what else stands in them in the other world. */

const unmask = { verdict: 'masked' as const, policy: { id: 'mask', reason: 'It is masked.' } }
const classes = {
  sealed: { dataClass: 'sealed', unmask, use: 'none', derived: 'block', mask: () => '•••' },
  computed: { dataClass: 'computed', unmask, use: 'none', derived: 'null', mask: () => '•••' },
  'looked-up': { dataClass: 'looked-up', unmask, use: 'lookup', derived: 'null', mask: () => '•••' },
} satisfies Record<string, Sensitivity>

const letters = (column: string) =>
  `translate(${column}::text, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefgh', 'QWERTYUIOPASDFGHJKLZXCVBNMhgfedcba')::name`

/** By table: the class of a column, and another value for it, one to one. */
const columns: Readonly<Record<string, Readonly<Record<string, readonly [keyof typeof classes, string]>>>> = {
  onek: {
    stringu2: ['sealed', letters('stringu2')],
    string4: ['computed', letters('string4')],
    odd: ['computed', '199 - odd'],
  },
  onek2: { stringu2: ['looked-up', letters('stringu2')], string4: ['computed', letters('string4')] },
  tenk1: {
    stringu2: ['computed', letters('stringu2')],
    string4: ['looked-up', letters('string4')],
    odd: ['sealed', '199 - odd'],
    even: ['computed', '198 - even'],
  },
  tenk2: {
    stringu1: ['computed', letters('stringu1')],
    stringu2: ['sealed', letters('stringu2')],
    fivethous: ['computed', '4999 - fivethous'],
  },
  int8_tbl: { q2: ['computed', '(q2 / 3) # 5'] },
  text_tbl: { f1: ['computed', 'reverse(f1)'] },
  varchar_tbl: { f1: ['looked-up', 'reverse(f1)'] },
  person: { location: ['computed', "location + point '(1, 2)'"], age: ['computed', '99 - age'] },
  emp: {
    salary: ['sealed', '9000 - salary'],
    location: ['computed', "location + point '(1, 2)'"],
    age: ['computed', '99 - age'],
  },
  student: { gpa: ['computed', '5 - gpa'] },
}

export function sensitivity(schema: string, table: string, column: string): Sensitivity | undefined {
  const found = schema === 'public' ? columns[table]?.[column] : undefined
  return found && classes[found[0]]
}

/** Writes every row anew in both worlds, so that they lie in the same places. */
export function changes(other: boolean): string[] {
  return Object.entries(columns).flatMap(([table, of]) => {
    const list = Object.entries(of).map(([column, [, value]]) => `${column} = ${other ? value : column}`)
    return [`update only ${table} set ${list.join(', ')}`, `vacuum full ${table}`, `vacuum analyze ${table}`]
  })
}
