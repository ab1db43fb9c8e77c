import { setImmediate as turn } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadParser, parse, parserRefilling, scan } from './parser.ts'
import { namesReadAlike } from './text/identifiers.ts'

beforeAll(loadParser)

/** Its operators overflow the parser's own stack. */
const tooDeep = `select 1${'+1'.repeat(15_000)}`
const controls = Array.from({ length: 0x9f }, (_, i) => String.fromCharCode(i + 1)).filter((char) =>
  /\p{Cc}/u.test(char),
)

describe('the parser', () => {
  it('reads every control character within a string, a name and a comment', () => {
    for (const char of controls) {
      const text = `select 'a${char}b', "c${char}d" /* ${char} */`
      const scanned = scan(text)
      const found = scanned.kind === 'tokens' ? scanned.tokens.map((token) => token.text) : []
      expect(found, JSON.stringify(char)).toEqual(['select', `'a${char}b'`, ',', `"c${char}d"`, `/* ${char} */`])
      expect(parse(text).ok).toBe(true)
    }
    expect(parserRefilling()).toBeUndefined()
  })

  it('tells a text that is none from one that can not be told', () => {
    expect(scan("select 'open")).toEqual({ kind: 'error' })
    // Not even its strings: what it would be elsewhere is not known.
    for (let i = 0; i < 2; i++) expect(parse(tooDeep).ok).toBe(false)
    expect(scan('select 1')).toEqual({ kind: 'fault' })
    expect(namesReadAlike('select ä', 'LATIN1')).toBe(false)
  })

  it('has taken over before anybody else has their turn', async () => {
    await turn()
    for (let i = 0; i < 3; i++) {
      expect(parse(tooDeep).ok).toBe(false)
      expect(parse(tooDeep).ok).toBe(false)
      expect(parserRefilling()).toBeDefined()
      await turn()
      expect(parserRefilling()).toBeUndefined()
      expect(parse('select 1').ok).toBe(true)
    }
  })
})
