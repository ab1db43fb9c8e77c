import { expect, test } from 'vitest'
import { codeOf, prose, says, spellProse, spellUnseen, splitUnseen } from './unseen.ts'

const turned = 'UPDATE t SET a = 1 /* \u202e*/ WHERE id = 7 \u2066-- '

test('a text that is seen whole stays one piece', () => {
  const text = "SELECT 'naïve 日本 👍', 'سلام'\n\tFROM t"
  expect(splitUnseen(text)).toEqual([{ text, unseen: false }])
  expect(spellUnseen(text)).toBe(text)
  expect(prose(text)).toBe(text)
})

test('what turns, hides or moves text is told apart, and nothing is lost', () => {
  for (const character of [
    '\u202e',
    '\u2066',
    '\u200b',
    '\u200d',
    '\u00ad',
    '\ufeff',
    '\u{e0041}',
    '\u3164',
    '\r',
    '\u001b',
    '\u2028',
  ]) {
    const parts = splitUnseen(`a${character}\nb`)
    expect(parts).toEqual([
      { text: 'a', unseen: false },
      { text: character, unseen: true },
      { text: '\nb', unseen: false },
    ])
  }
  const parts = splitUnseen(turned)
  expect(parts.map(({ text }) => text).join('')).toBe(turned)
  expect(parts.filter(({ unseen }) => unseen).map(({ text }) => codeOf(text))).toEqual(['U+202E', 'U+2066'])
})

test('it is spelled out for terminals', () => {
  expect(spellUnseen(turned)).toBe('UPDATE t SET a = 1 /* \\u{202e}*/ WHERE id = 7 \\u{2066}-- ')
  expect(spellUnseen('a\u001b[2J\u009b\u200d')).toBe('a\\x1b[2J\\x9b\\u{200d}')
  expect(spellProse('👩\u200d💻 می\u200cخواهم \u202e')).toBe('👩\u200d💻 می\u200cخواهم \\u{202e}')
})

test('what somebody says keeps its lines and letters, and commands nothing', () => {
  expect(prose('fix\r\norder\u001b[2J 7\u202e \u200b👩\u200d💻\u007f\u009b')).toBe('fix\norder␛[2J 7 👩\u200d💻␡')
  expect(says('\u200b\u202e \u200d', 1)).toBe(false)
  expect(says('ok', 1)).toBe(true)
})
