import { scan, type Token } from '../parser.ts'
import { isSameLetter } from './encoding.ts'

/** A name of at most so many letters is not cut, however many bytes they take. */
const surelyWhole = 15

/** What names a thing that is kept by the session under just that name. */
const naming = new Set(['PREPARE', 'EXECUTE', 'DEALLOCATE', 'DECLARE', 'FETCH', 'MOVE', 'CLOSE', 'CURSOR', 'CURRENT'])

/**
 * Whether a target whose own encoding is not UTF-8 reads the names in a text as they are read here. It cuts long ones elsewhere, puts
 * capitals beyond ASCII into small letters as its locale says, and has one letter for some that are several.
 */
export function namesReadAlike(text: string, server: string): boolean {
  if (isPlain(text)) return true
  const scanned = scan(text)
  if (scanned.kind !== 'tokens') return scanned.kind === 'error'
  const { tokens } = scanned
  const names = tokens.filter((token) => !isPlain(token.text) && /^["\p{L}_]/u.test(token.text))
  // What is set there in a string is names as well.
  const named = /search_path/i.test(text) ? tokens.filter((token) => !isPlain(token.text) && !isComment(token)) : names
  for (const { text: name } of named) {
    for (const letter of name) if (letter > '\x7f' && !isSameLetter(letter, server)) return false
  }
  if (names.length === 0) return true
  // The scanner gives keywords no name of their own.
  if (tokens.some((token) => naming.has(token.text.toUpperCase()))) return false
  return names.every(({ text: name }) => {
    if (/^u&"/i.test(name)) return false
    const quoted = name.startsWith('"')
    return name.length <= surelyWhole + (quoted ? 2 : 0) && (quoted || name === lowered(name))
  })
}

function isComment({ text }: Token): boolean {
  return text.startsWith('--') || text.startsWith('/*')
}

function isPlain(text: string): boolean {
  return /^\p{ASCII}*$/u.test(text) && !/u&"/i.test(text)
}

/** As names without quotes are read here, but for letters beyond ASCII. */
function lowered(name: string): string {
  const plain = name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
  return plain === name.toLowerCase() ? name : ''
}
