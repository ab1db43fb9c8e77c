import { describe, expect, test } from 'vitest'
import { classOf, parseClassification, scanOf } from './classification.ts'
import { parseColumnGlob } from './columns.ts'
import { compilePattern } from './pattern.ts'

function problems(text: string): string[] {
  const parsed = parseClassification('c.yaml', text)
  return parsed.ok ? [] : parsed.problems.map(({ file, line, reason }) => `${file}:${line}: ${reason}`)
}

describe('classification.yaml', () => {
  test('the first class that covers a column has it', () => {
    const parsed = parseClassification(
      'c.yaml',
      `classes:
  b: { mask: hash, columns: ['*.t.x'] }
  a: { mask: redact, columns: ['*.t.*'], detectors: [email, { name: badge, pattern: 'EMP-\\d{6}' }] }
`,
    )
    if (!parsed.ok) throw new Error(parsed.problems[0]?.reason)
    expect(classOf(parsed.classes, 'c', 's', 't', 'x')?.name).toBe('b')
    expect(classOf(parsed.classes, 'c', 's', 't', 'y')?.name).toBe('a')
    expect(classOf(parsed.classes, 'c', 's', 'u', 'x')).toBeUndefined()
    expect(parsed.classes[1]?.detector?.find('EMP-123456 a@b.co')).toEqual([
      { start: 0, end: 10 },
      { start: 11, end: 17 },
    ])
    expect(parsed.lineOf('a')).toBe(3)
  })

  test.each([
    ['not YAML', 'classes:\n  a: {', /^c\.yaml:\d+: /],
    ['no classes', 'klasses: {}', /^c\.yaml:1: /],
    ['an unknown mask', 'classes:\n  a:\n    mask: blur\n    columns: [a.b.c]', /^c\.yaml:3: classes\.a\.mask/],
    ['an unknown key', 'classes:\n  a:\n    mask: hash\n    column: [a.b.c]', /^c\.yaml:4: .*column/],
    ['a class twice', 'classes:\n  a: { mask: hash, columns: [a.b.c] }\n  a: { mask: hash }', /^c\.yaml:3: /],
    ['a bad name', 'classes:\n  E-mail: { mask: hash, columns: [a.b.c] }', /^c\.yaml:2: .*lower case/],
    [
      'a bad glob',
      'classes:\n  a:\n    mask: hash\n    columns:\n      - a.b.c\n      - customers.email',
      /^c\.yaml:6: .*\*\.customers\.email/,
    ],
    ['an unknown detector', 'classes:\n  a:\n    mask: hash\n    detectors:\n      - emial', /^c\.yaml:5: .*"emial"/],
    [
      'a pattern that could stall, and RE2 does not have',
      "classes:\n  a:\n    mask: hash\n    detectors:\n      - { name: x, pattern: '(a)\\1' }",
      /^c\.yaml:5: .*escape/,
    ],
    [
      'a pattern that is found everywhere',
      "classes:\n  a:\n    mask: hash\n    detectors:\n      - { name: x, pattern: '(a|b)*' }",
      /^c\.yaml:5: .*everywhere/,
    ],
    [
      'a bad glob to scan',
      "classes:\n  a: { mask: hash, detectors: [email] }\nscan: ['notes.body']",
      /^c\.yaml:3: .*body/,
    ],
    [
      'scanning for nothing',
      "classes:\n  a: { mask: hash, columns: ['a.b.c'] }\nscan:\n  - '*.notes.body'",
      /^c\.yaml:\d: .*no class has detectors/,
    ],
    ['a class that covers nothing', 'classes:\n  a: { mask: hash }', /^c\.yaml:2: .*covers nothing/],
  ])('%s', (_, text, expected) => {
    expect(problems(text)[0]).toMatch(expected)
  })
})

test('patterns beyond the quick part are RE2, in linear time', () => {
  const text = `classes:\n  a: { mask: hash, detectors: [{ name: x, pattern: '(EMP|CTR)-[0-9]+|a+a+b' }] }`
  const parsed = parseClassification('c.yaml', text)
  if (!parsed.ok) throw new Error(parsed.problems[0]?.reason)
  const find = parsed.classes[0]?.detector?.find
  expect(find?.('see CTR-77, EMP-1 and aaab')).toEqual([
    { start: 4, end: 10 },
    { start: 12, end: 17 },
    { start: 22, end: 26 },
  ])
  // What stalls a backtracking engine for longer than there is time.
  expect(find?.('a'.repeat(20_000))).toEqual([])
})

test('columns to scan say how they may be used, or that they may not', () => {
  const parsed = parseClassification(
    'c.yaml',
    `classes: { a: { mask: hash, detectors: [email] } }
scan: ['*.notes.body', { columns: ['db:*.events.*'], use: any, derived: 'null' }]`,
  )
  if (!parsed.ok) throw new Error(parsed.problems[0]?.reason)
  expect(scanOf(parsed.scans, 'x', 's', 'notes', 'body')).toMatchObject({ use: 'none', derived: 'block' })
  expect(scanOf(parsed.scans, 'db', 's', 'events', 'payload')).toMatchObject({ use: 'any', derived: 'null' })
  expect(scanOf(parsed.scans, 'x', 's', 'events', 'payload')).toBeUndefined()
})

describe('column globs', () => {
  const matches = (glob: string, ...names: [string, string, string, string]): boolean => {
    const made = parseColumnGlob(glob)
    if (typeof made === 'string') throw new Error(made)
    return made.matches(...names)
  }

  test.each([
    ['orders-db:public.customers.email', ['orders-db', 'public', 'customers', 'email'], true],
    ['orders-db:public.customers.email', ['other-db', 'public', 'customers', 'email'], false],
    ['*.customers.email', ['any', 'any', 'customers', 'email'], true],
    ['*.customers.email', ['any', 'any', 'old_customers', 'email'], false],
    ['*.*customers*.*mail*', ['any', 'any', 'old_customers_2', 'e_mail_2'], true],
    ['*-db:*.t.a*b*c', ['x-db', 's', 't', 'a1b2c'], true],
    ['*-db:*.t.a*b*c', ['x-db', 's', 't', 'ac'], false],
    ['*.t.a*a', ['x', 's', 't', 'a'], false],
    ['*.t.*', ['x', 's', 't', 'odd.name'], true],
  ] as const)('%s on %j: %s', (glob, names, expected) => {
    expect(matches(glob, names[0], names[1], names[2], names[3])).toBe(expected)
  })

  test.each(['email', 'a.b', 'a.b.c.d', ':a.b.c', 'a..c', ''])('refuses %j', (glob) => {
    expect(parseColumnGlob(glob)).toEqual(expect.any(String))
  })
})

describe('custom patterns', () => {
  test.each([
    ['EMP-\\d{6}', 'x EMP-123456 y', ['EMP-123456']],
    ['\\bcus_[A-Za-z0-9]{14}\\b', 'cus_abcdefghij1234 xcus_abcdefghij1234', ['cus_abcdefghij1234']],
    ['\\d{3}-?\\d{4}', '555-0143 5550143', ['555-0143', '5550143']],
    ['key=[^\\s;]+', 'key=abc; key=d', ['key=abc', 'key=d']],
    ['[A-Z]+\\d+', 'AB12 C3', ['AB12', 'C3']],
    ['a/b\\.c', 'a/b.c', ['a/b.c']],
  ])('%s', (pattern, text, expected) => {
    const compiled = compilePattern(pattern)
    if (typeof compiled === 'string') throw new Error(compiled)
    expect(text.match(compiled)).toEqual(expected)
  })

  test.each([
    '(a+)+b',
    'a|b',
    '^a',
    'a$',
    'a+a',
    '\\w+\\d',
    '.*x',
    'a*',
    'a?b?',
    'x{1,999}',
    'a{3,2}',
    'a++',
    'a{2}{3}',
    '+',
    '[a',
    '[]',
    '[^]',
    '\\1',
    '\\x41',
    'é',
    'a{x}',
    '',
    '[b-a]',
    '\\s+.',
  ])('refuses %s', (pattern) => {
    expect(compilePattern(pattern)).toEqual(expect.any(String))
  })

  test('long chosen text takes no long time', () => {
    const compiled = compilePattern('[a-z0-9]+@[a-z0-9]+\\.[a-z]+!')
    if (typeof compiled === 'string') throw new Error(compiled)
    const began = performance.now()
    expect('a@b.c'.repeat(40_000).match(compiled)).toBeNull()
    expect('a'.repeat(200_000).match(compiled)).toBeNull()
    expect(performance.now() - began).toBeLessThan(5_000)
  })
})
