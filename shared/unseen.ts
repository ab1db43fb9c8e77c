/**
 * Characters that nobody sees: controls, which a terminal obeys, characters that turn the direction in which others are shown, and
 * those that show nothing at all. With them a text looks like another than it is, to people who approve it and in terminals.
 */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/u
const everyUnseen = new RegExp(unseen, 'gu')

/** Joiners that Persian, Indic scripts and emoji are written with: harmless in what somebody says, not in what is run. */
const joiners = '\u200c\u200d'
const plain = '\n\t'

export interface Seen {
  text: string
  /** One character that nobody sees. */
  unseen: boolean
}

/** A text cut where somebody would not see all of it. Joined again it is what it was. New lines and tabs are seen. */
export function splitUnseen(text: string): Seen[] {
  if (!unseen.test(text)) return [{ text, unseen: false }]
  const parts: Seen[] = []
  let last = 0
  for (const { 0: character, index } of text.matchAll(everyUnseen)) {
    if (plain.includes(character)) continue
    if (index > last) parts.push({ text: text.slice(last, index), unseen: false })
    parts.push({ text: character, unseen: true })
    last = index + character.length
  }
  if (last < text.length) parts.push({ text: text.slice(last), unseen: false })
  return parts
}

/** As Unicode writes it: `U+202E`. */
export function codeOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
}

/** With every character that nobody sees written out, as in JavaScript. For terminals. */
export function spellUnseen(text: string, kept = ''): string {
  return text.replaceAll(everyUnseen, (character) => {
    if (plain.includes(character) || kept.includes(character)) return character
    const code = (character.codePointAt(0) ?? 0).toString(16)
    return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u{${code}}`
  })
}

/** As `spellUnseen`, for what people say: their scripts and emoji stay. */
export function spellProse(text: string): string {
  return spellUnseen(text, joiners)
}

/**
 * What somebody says, as it is kept and told in terminals, mails and pages alike: lines end with a new line alone, controls are their
 * pictures (␛), and what turns or hides text is gone.
 */
export function prose(text: string): string {
  return text.replaceAll(/\r\n|[\u2028\u2029]/g, '\n').replaceAll(everyUnseen, (character) => {
    if (plain.includes(character) || joiners.includes(character)) return character
    const code = character.codePointAt(0) ?? 0
    if (code < 0x20) return String.fromCodePoint(0x2400 + code)
    return code === 0x7f ? '\u2421' : ''
  })
}

/** Whether a reader would see at least so much of it. */
export function says(text: string, least: number): boolean {
  return prose(text).replaceAll(/[\s\u200c\u200d]/g, '').length >= least
}
