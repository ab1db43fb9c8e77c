import { describe, expect, it } from 'vitest'
import { maskCopyRow } from '../mask/copy.ts'
import { message } from '../messages.ts'
import { template } from './template.ts'

describe('template', () => {
  it('gives statements that differ in literals one key', () => {
    const same = (a: string, b: string) => {
      expect(template(a)).toBeDefined()
      expect(template(a)).toBe(template(b))
    }
    same('SELECT abalance FROM t1 WHERE aid = 12;', 'SELECT abalance FROM t1 WHERE aid = 99871;')
    same("select 'a''b', 1.5 from \"T 1\"", 'select \'x\', .25 from "T 1"')
    same("insert into t values (1,'--',-3)", "insert into t values (2,'/*',-4)")
  })

  it('tells apart what is not a literal, and literals of another kind', () => {
    const differ = (a: string, b: string) => expect(template(a)).not.toBe(template(b))
    differ('select a1', 'select a2')
    differ('select $1', 'select $2')
    differ('select "1"', 'select "2"')
    differ('select 1', "select '1'")
    differ('select 1', 'select 1000000000000')
    differ('select 1', 'select 1.0')
    differ("select 'a', b", "select 'a, b'")
    differ('select 1', 'select -1')
  })

  it('is not sure of anything unusual', () => {
    for (const sql of [
      "select E'\\''",
      "select e'a'",
      "select U&'a'",
      'select U&"a"',
      "select X'1F'",
      'select $$a$$',
      'select $a$b$a$',
      'select 1 -- c',
      'select /* c */ 1',
      'select 0x1F',
      'select 1e5',
      'select 1_000',
      "select 'a\\'",
      "select 'a'\n'b'",
      "select 'open",
      'select "open',
      'select é',
      "select 'é'",
      'select \u0001',
      'select 1..2',
      'select 1a',
      'select $1a',
    ]) {
      expect(template(sql), sql).toBeUndefined()
    }
  })
})

describe('maskCopyRow', () => {
  const row = (text: string) => message(0x64, Buffer.from(text))
  const last2 = { kind: 'value' as const, mask: (value: string) => `*${value.slice(-2)}\t\\` }

  it('masks the value behind the escapes, and escapes the mask', () => {
    const seen: string[] = []
    const mask = {
      kind: 'value' as const,
      mask: (value: string) => {
        seen.push(value)
        return 'x\ty\\'
      },
    }
    const line = row('1\ta\\tb\\\\N\\n\t\\N\tz\n')
    expect(maskCopyRow([null, mask, mask, null], line, 0, line.length)).toEqual(row('1\tx\\ty\\\\\t\\N\tz\n'))
    expect(seen).toEqual(['a\tb\\N\n'])
  })

  it('turns a field without a text mask into NULL', () => {
    const line = row('1\t2\n')
    expect(maskCopyRow([null, { kind: 'null' }], line, 0, line.length)).toEqual(row('1\t\\N\n'))
  })

  it('refuses rows of another shape', () => {
    for (const text of ['a\n', 'a\tb\tc\n', 'a\tb', 'a\tb\nc\td\n']) {
      const line = row(text)
      expect(() => maskCopyRow([null, last2], line, 0, line.length), text).toThrow()
    }
  })
})
