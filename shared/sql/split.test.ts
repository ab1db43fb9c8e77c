import fc from 'fast-check'
import { loadModule, parseSync } from 'libpg-query'
import { beforeAll, describe, expect, test } from 'vitest'
import { splitStatements, statementAt, utf16Offset } from './split.ts'

const texts = (sql: string): string[] => splitStatements(sql).map((s) => sql.slice(s.start, s.end))

describe('splitStatements', () => {
  test.each([
    ['select 1; select 2', ['select 1', 'select 2']],
    [' ;; -- only a comment\n/* and ; another */ ;', []],
    ["select 'a;b'; select 2", ["select 'a;b'", 'select 2']],
    ["select 'it''s;'; select 2", ["select 'it''s;'", 'select 2']],
    ["select 'a\\'; select 2", ["select 'a\\'", 'select 2']],
    ["select E'a\\';b'; select 2", ["select E'a\\';b'", 'select 2']],
    ["select e'a' -- c\n '\\';'; select 2", ["select e'a' -- c\n '\\';'", 'select 2']],
    ["select U&'d\\0061;'; select 2", ["select U&'d\\0061;'", 'select 2']],
    ['select "a;""b"; select 2', ['select "a;""b"', 'select 2']],
    ['select $$a;b$$; select 2', ['select $$a;b$$', 'select 2']],
    ['select $x$a;$y$;$$;$x$; select 2', ['select $x$a;$y$;$$;$x$', 'select 2']],
    ['select a$$b; select $1; select 3', ['select a$$b', 'select $1', 'select 3']],
    ['select 1 /* a; /* b; */ c; */ + 1; select 2', ['select 1 /* a; /* b; */ c; */ + 1', 'select 2']],
    ['select 1 -- ; no\n + 2; select 2', ['select 1 -- ; no\n + 2', 'select 2']],
    ['create rule r as on insert to t do (delete from a; delete from b); select 2', 2],
    [
      'create or replace function f() returns int begin atomic select 1; select case 1 when 1 then 2 end; end; select 2',
      2,
    ],
    ['begin; select 1; end; select 2', ['begin', 'select 1', 'end', 'select 2']],
    ["select 'open; select 2", ["select 'open; select 2"]],
    ['select 1 /* open; select 2', ['select 1']],
  ])('%s', (sql, expected) => {
    if (typeof expected === 'number') expect(splitStatements(sql)).toHaveLength(expected)
    else expect(texts(sql)).toEqual(expected)
  })

  const pieces = [
    "'x;y'",
    "E'q\\';'",
    "'a''b'",
    '"i;d"',
    '$$d;q$$',
    '$t$a$$;$t$',
    '/* c; /* n */ */ 1',
    '-- l;\n 1',
    '(select 1)',
    "U&'\\0041'",
    "B'01'",
    "n'x;'",
    'é',
    '"😀"',
    '1.5e3',
    "'a' \n 'b;'",
  ]
  const statement = fc
    .array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 5 })
    .map((p) => `select ${p.join(' , ')}`)

  test('finds exactly the statements that were put together', () => {
    fc.assert(
      fc.property(
        fc.array(statement, { maxLength: 6 }),
        fc.constantFrom(';', ' ;\n', '; -- end\n', ';;'),
        (all, end) => {
          expect(texts(all.map((s) => s + end).join(''))).toEqual(all)
        },
      ),
    )
  })

  test('takes any text, loses nothing and never overlaps', () => {
    const scraps = fc.array(
      fc.constantFrom(...pieces, ';', "'", '"', '$', '$$', '/*', '*/', '--', '\n', '\\', 'E', 'a'),
      { maxLength: 30 },
    )
    fc.assert(
      fc.property(scraps, (parts) => {
        const sql = parts.join('')
        let last = 0
        for (const s of splitStatements(sql)) {
          expect(s.start).toBeGreaterThanOrEqual(last)
          expect(s.end).toBeGreaterThan(s.start)
          expect(s.after).toBeGreaterThanOrEqual(s.end)
          last = s.after
        }
        expect(last).toBeLessThanOrEqual(sql.length)
      }),
    )
  })

  describe("against PostgreSQL's own parser", () => {
    beforeAll(() => loadModule())

    test('counts the same statements wherever the text parses', () => {
      const parts = fc.array(
        fc.constantFrom(...pieces, ';', 'select', ',', '\n', 'a', '1', '+', '--', '/*', '*/', '$1'),
        { maxLength: 20 },
      )
      fc.assert(
        fc.property(parts, (tokens) => {
          const sql = tokens.join(' ')
          let parsed: ReturnType<typeof parseSync>
          try {
            parsed = parseSync(sql)
          } catch {
            return
          }
          expect(splitStatements(sql)).toHaveLength(parsed.stmts?.length ?? 0)
        }),
        { numRuns: 2000 },
      )
    })
  })
})

describe('statementAt', () => {
  const sql = '-- first\nselect 1;  -- one\n\n-- second\nselect 2;\nselect 3'
  const at = (needle: string, shift = 0): string => {
    const found = statementAt(sql, sql.indexOf(needle) + shift)
    return found === undefined ? '' : sql.slice(found.start, found.end)
  }

  test('means the statement under, or right before the cursor on its line, else the next', () => {
    expect(at('-- first')).toBe('select 1')
    expect(at('select 1', 3)).toBe('select 1')
    expect(at('-- one', 2)).toBe('select 1')
    expect(at('-- second', 2)).toBe('select 2')
    expect(at('select 3')).toBe('select 3')
    expect(at('select 3', 8)).toBe('select 3')
    expect(statementAt('select 1;\n\n', 11)).toMatchObject({ start: 0, end: 8 })
    expect(statementAt('  -- none', 3)).toBeUndefined()
  })
})

test('utf16Offset counts characters as PostgreSQL does', () => {
  expect(utf16Offset('a😀b', 1)).toBe(0)
  expect(utf16Offset('a😀b', 3)).toBe(3)
  expect(utf16Offset('ab', 99)).toBe(2)
})
