import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Shape } from './detect/shape.ts'
import { builtinDetectors, type Detector, redactor, union } from './detectors.ts'

type Name = keyof typeof builtinDetectors

const found = (name: Name, text: string): string[] =>
  builtinDetectors[name].find(text).map(({ start, end }) => text.slice(start, end))

const pem = (body: string, kind = 'OPENSSH ') =>
  `-----BEGIN ${kind}PRIVATE KEY-----\n${body}\n-----END ${kind}PRIVATE KEY-----`
const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U'

/** Text, and what must be found in it. */
const samples: Record<Name, readonly (readonly [string, readonly string[]])[]> = {
  email: [
    ['mail lena.fischer+x@mailbox.example, now', ['lena.fischer+x@mailbox.example']],
    ['<a@b.co>;c@d.org.', ['a@b.co', 'c@d.org']],
    ["'o'brien@example.com'", ["o'brien@example.com"]],
    ['a@b, @x.com, user@host, git@[::1], a@b.c', []],
    ['x@1.2.3.4 and root@localhost', []],
    ['│anna@example.com│', ['anna@example.com']],
  ],
  card: [
    ['4556737586899855', ['4556737586899855']],
    ['card=4111 1111 1111 1111 ok', ['4111 1111 1111 1111']],
    ['5500-0055-5555-5559.', ['5500-0055-5555-5559']],
    ['amex 3782 822463 10005', ['3782 822463 10005']],
    ['378282246310005,30569309025904', ['378282246310005', '30569309025904']],
    ['4111 1111 1111 1112', []],
    ['1234567812345670', []],
    ['41111111111111111111', []],
    ['0.4111111111111111', []],
    ['4111 1111-1111 1111', []],
    ['1700000000000 1700000000000000', []],
    ['17 4111 1111 1111 1111 2031', ['4111 1111 1111 1111']],
  ],
  iban: [
    ['DE89370400440532013000', ['DE89370400440532013000']],
    ['to IE29 AIBK 9311 5212 3456 78.', ['IE29 AIBK 9311 5212 3456 78']],
    ['DE89370400440532013001 XX89370400440532013000 DE8937040044053201300', []],
    ['XDE89370400440532013000 DE893704004405320130001', []],
  ],
  phone: [
    ['call +49 30 901820 or +1 (202) 555-0143', ['+49 30 901820', '+1 (202) 555-0143']],
    ['+447700900123', ['+447700900123']],
    ['(202) 555-0143, 202-555-0143, 202.555.0143', ['(202) 555-0143', '202-555-0143', '202.555.0143']],
    ['2026-01-14 10:00:00.123+01, 10.0.0.1, 1234567890, 555-0143', []],
    ['+0123456789 a+123456789 +12345678 +1234567890123456', []],
    ['1-202-555-0143x', []],
  ],
  ssn: [
    ['ssn 536-22-1234.', ['536-22-1234']],
    ['000-12-3456 666-12-3456 900-12-3456 536-00-1234 536-22-0000', []],
    ['1536-22-1234 536-22-12345 a-536-22-1234 536-22-1234-9', []],
  ],
  ipv4: [
    ['from 10.0.0.255:80', ['10.0.0.255']],
    ['1.2.3.4.5 300.1.1.1 1.2.3 v1.2.3.4', []],
  ],
  ipv6: [
    ['from 2001:db8::8a2e:370:7334, fe80:0:0:0:1:2:3:4', ['2001:db8::8a2e:370:7334', 'fe80:0:0:0:1:2:3:4']],
    ['10:20:30 00:1a:2b:3c:4d:5e std::vector a::b::c ::1 x:y 12345::1:2:3', []],
  ],
  'national-id': [
    ['AB123456C and AB 12 34 56 D', ['AB123456C', 'AB 12 34 56 D']],
    ['12345678Z, X1234567L', ['12345678Z', 'X1234567L']],
    ['2 55 08 14 168 025 38 or 255081416802538', ['2 55 08 14 168 025 38', '255081416802538']],
    ['RSSMRA85T10A562S', ['RSSMRA85T10A562S']],
    ['44051401359 529.982.247-25', ['44051401359', '529.982.247-25']],
    ['811228-9874 19811228-9874', ['811228-9874', '19811228-9874']],
    ['2341 2341 2346', ['2341 2341 2346']],
    ['12345678A RSSMRA85T10A562T 44051401358 529.982.247-24 811228-9873 2341 2341 2347 255081416802539', []],
    ['1700000000000 2026-01-14 10:00 GB123456A', []],
  ],
  'cloud-key': [
    [`hvs.${'a'.repeat(24)} SG.${'b'.repeat(66)}`, [`hvs.${'a'.repeat(24)}`, `SG.${'b'.repeat(66)}`]],
    ['AccountKey=short SG.x sk-ant- GOCSPX-', []],
  ],
  jwt: [
    [`token ${jwt};`, [jwt]],
    ['eyJhbGci.x.y eyJhbGciOiJIUzI1NiJ9', []],
  ],
  'aws-key': [
    ['AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE', ['AKIAIOSFODNN7EXAMPLE']],
    ['AKIAIOSFODNN7EXAMPLEX xAKIAIOSFODNN7EXAMPLE AKIAshort', []],
  ],
  'github-token': [
    [`ghp_${'a1'.repeat(18)}`, [`ghp_${'a1'.repeat(18)}`]],
    ['ghp_short', []],
  ],
  'gitlab-token': [
    ['glpat-abcdefghij0123456789', ['glpat-abcdefghij0123456789']],
    ['glpat-x', []],
  ],
  'slack-token': [
    ['xoxb-123456789012-abcdef', ['xoxb-123456789012-abcdef']],
    ['xoxb-1', []],
  ],
  'stripe-key': [
    ['token=sk_live_4eC39HqLyjWDarjtT1zdp7dc', ['sk_live_4eC39HqLyjWDarjtT1zdp7dc']],
    ['sk_live_', []],
  ],
  'google-key': [
    [`AIza${'B'.repeat(35)}`, [`AIza${'B'.repeat(35)}`]],
    [`AIza${'B'.repeat(34)}`, []],
  ],
  'npm-token': [
    [`npm_${'c'.repeat(36)}`, [`npm_${'c'.repeat(36)}`]],
    ['npm_config_cache', []],
  ],
  'private-key': [
    [`x ${pem('b3BlbnNzaC1rZXk=')} y`, [pem('b3BlbnNzaC1rZXk=')]],
    [pem('MIIE\nAbCd', 'RSA '), [pem('MIIE\nAbCd', 'RSA ')]],
    ['-----BEGIN RSA PRIVATE KEY-----\nMIIE\n', ['-----BEGIN RSA PRIVATE KEY-----\nMIIE\n']],
    ['-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----', []],
  ],
  password: [
    ['password=hunter2 next', ['hunter2']],
    ['"db_password": "p w d", "x": 1', ['p w d']],
    ["ALTER ROLE a PASSWORD 'abcdef'", ['abcdef']],
    ['API_TOKEN=abcd1234', ['abcd1234']],
    ['run --password hunter2', ['hunter2']],
    ['client_secret : s3cr3t!;', ['s3cr3t!']],
    ['https://x.example/?token=abcdef&x=1', ['abcdef']],
    ['password=null tokens: 1234 time: 10:20:30 a=b', []],
  ],
  'url-credentials': [
    ['postgres://app:s3cret@db:5432/x', ['s3cret']],
    ['http://host:80/a@b https://user@host', []],
  ],
  bearer: [
    ['Authorization: Bearer abcdefghijklmnop1234', ['abcdefghijklmnop1234']],
    ['authorization: basic dXNlcjpwYXNzd29yZA==', ['dXNlcjpwYXNzd29yZA==']],
    ['bearer of bad news', []],
  ],
}

describe.each(Object.entries(samples))('%s', (name, cases) => {
  test.each(cases)('%j', (text, expected) => {
    const known = Object.keys(builtinDetectors).find((each): each is Name => each === name)
    if (!known) throw new Error(name)
    expect(found(known, text)).toEqual(expected)
    const trimmed = (all: readonly string[]) => all.map((each) => each.trimEnd())
    expect(trimmed(found(known, `${text}\n${text}`)).slice(0, expected.length)).toEqual(trimmed(expected))
  })
})

const scraps = [
  ...Object.values(samples).flatMap((cases) => cases.map(([text]) => text)),
  '@',
  '-',
  '.',
  '+',
  ' ',
  '\n',
  '=',
  ':',
  "'",
  '"',
  '://',
  'eyJ',
  '-----BEGIN ',
  '-----',
  '4111',
  '1',
  'password',
  'é',
  '😀',
]
const text = fc
  .array(fc.oneof(fc.constantFrom(...scraps), fc.string({ maxLength: 8 })), { maxLength: 12 })
  .map((all) => all.join(''))
const finds = { ...builtinDetectors, all: { find: union(Object.values(builtinDetectors).map(({ find }) => find)) } }

describe.each(Object.entries(finds))('%s on any text', (_, { find }) => {
  test('finds spans in order, within the text, not empty, not overlapping', () => {
    fc.assert(
      fc.property(text, (sample) => {
        let last = 0
        for (const { start, end } of find(sample)) {
          expect(start).toBeGreaterThanOrEqual(last)
          expect(end).toBeGreaterThan(start)
          expect(end).toBeLessThanOrEqual(sample.length)
          last = end
        }
      }),
      { numRuns: 300 },
    )
  })

  test('takes time in line with the text, whatever is chosen', () => {
    for (const piece of [
      'a',
      '@',
      'a@',
      'eyJ',
      'eyJ.',
      '4',
      '4111 ',
      '1-',
      '+1 ',
      '=',
      'token:',
      '-----BEGIN ',
      'DE89',
      '://a:',
      'AKIA',
      'bearer ',
      ' ',
      'ghp_',
    ]) {
      const sample = piece.repeat(Math.ceil(200_000 / piece.length))
      const began = process.threadCpuUsage()
      find(sample)
      // Work of this thread, in microseconds: quadratic would be minutes.
      const { user, system } = process.threadCpuUsage(began)
      expect(user + system).toBeLessThan(5_000_000)
    }
  })
})

test('a number is masked however its digits are grouped, where it is found at all', () => {
  const mask = redactor([{ ...builtinDetectors['national-id'], mask: () => '***' }])
  const parts = ['1', '85', '05', '78', '006', '084', '91']
  for (let spaces = 0; spaces < 1 << 6; spaces++) {
    const text = parts.map((part, i) => (i > 0 && (spaces >> (i - 1)) & 1 ? ` ${part}` : part)).join('')
    expect(mask(text), text).toBe('***')
  }
})

describe('text without any of its shapes, or of its characters, holds no match', () => {
  const holds = (sample: string, shape: Shape): boolean =>
    Array.from(sample).some((_, at) =>
      shape.every((chars, i) => sample[at + i] !== undefined && chars.includes(sample[at + i] ?? '')),
    )
  const missed = (sample: string): string[] =>
    Object.entries<Detector>(builtinDetectors).flatMap(([name, { find, anyOf = '', shapes = [] }]) => {
      if (find(sample).length === 0) return []
      return shapes.some((shape) => holds(sample, shape)) && holds(sample, [anyOf]) ? [] : [name]
    })

  test('of the samples, in capitals and with spaces for its separators', () => {
    for (const sample of Object.values(samples).flatMap((cases) => cases.map(([each]) => each))) {
      for (const each of [
        sample,
        sample.toUpperCase(),
        sample.toLowerCase(),
        sample.replaceAll('-', ' '),
        sample.replaceAll(' ', ''),
      ])
        expect(missed(each)).toEqual([])
    }
  })

  test('of any text', () => {
    fc.assert(
      fc.property(text, (sample) => {
        expect(missed(sample)).toEqual([])
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('redactor', () => {
  const redact = redactor([
    { find: builtinDetectors.email.find, mask: () => '<email>' },
    { find: builtinDetectors.password.find, mask: () => '<secret>' },
    { find: builtinDetectors['stripe-key'].find, mask: () => '<key>' },
  ])

  test('masks each value once, and leaves the rest', () => {
    expect(redact("select * from c where email = 'a@b.co' -- password=hunter2")).toBe(
      "select * from c where email = '<email>' -- password=<secret>",
    )
    expect(redact('select 1')).toBe('select 1')
  })

  test('finds the same when there are too many states to remember, and in texts that make many', () => {
    const rules = Object.values(builtinDetectors).map((detector) => ({ ...detector, mask: () => '<masked>' }))
    const forgetful = redactor(rules, 8)
    const whole = redactor(rules)
    const plain = redactor(rules.map(({ find, mask }) => ({ find, mask })))
    for (const sample of ['4111 1111 1111 1111', "password = 'hunter22'", 'a@b.co, 10.0.0.1', 'é4111111111111111é']) {
      expect(forgetful(sample)).toBe(plain(sample))
      expect(whole(sample)).toBe(plain(sample))
    }
    fc.assert(
      fc.property(text, (sample) => {
        expect(forgetful(sample)).toBe(plain(sample))
        expect(whole(sample)).toBe(plain(sample))
      }),
      { numRuns: 500 },
    )
  })

  test('what two rules claim is masked whole', () => {
    expect(redact('token=sk_live_4eC39HqLyjWDarjtT1zdp7dc;')).toBe('token=<secret>;')
    expect(redact('password=(a@b.example.com)x')).toBe('password=<secret>)x')
  })
})
