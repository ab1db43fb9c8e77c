import { describe, expect, test } from 'vitest'
import { bindParameters, findParameters, parameterNames } from './parameters.ts'

describe('findParameters', () => {
  test.each([
    ['select * from t where a = :a and b = :b_2 and c = :a', ['a', 'b_2']],
    ['select $1, $2, $1', ['$1', '$2']],
    ["select ':a', \":b\", $$ :c $1 $$, E'\\':d' -- :e\n /* :f */", []],
    ['select a::text, b[1:n], f(x := 1), :v::int', ['v']],
    ['select a$1, :é', ['é']],
    ['create function f(int) returns int begin atomic select $1; end', []],
    ['prepare p as select $1', []],
    ["select '12:30:00', now() at time zone :tz", ['tz']],
    ['explain select $1', ['$1']],
  ])('%s', (sql, names) => {
    expect(parameterNames(findParameters(sql))).toEqual(names)
  })
})

describe('bindParameters', () => {
  test('keeps every position where it was', () => {
    const sql = 'select :long_name, :a, x from t where y = :a and z = :long_name'
    const bound = bindParameters(sql)
    expect(bound.names).toEqual(['a', 'long_name'])
    expect(bound.text).toHaveLength(sql.length)
    expect(bound.text.indexOf('from')).toBe(sql.indexOf('from'))
    expect(bound.text.replaceAll(/ +/g, ' ')).toBe('select $2 , $1, x from t where y = $1 and z = $2 ')
  })

  test('numbers that are written keep their place; names come after them', () => {
    expect(bindParameters('select $3, :n')).toEqual({ text: 'select $3, $4', names: ['', '', '$3', 'n'] })
  })

  test('a statement without parameters is as it was', () => {
    expect(bindParameters('select 1')).toEqual({ text: 'select 1', names: [] })
  })
})
