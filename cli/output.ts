import { once } from 'node:events'
import { spellProse, spellUnseen } from '../shared/unseen.ts'

/** For people: stderr, so that stdout stays for programs. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** For programs: stdout, waiting where the reader is slow. A reader that has gone (`| head`) ends the process quietly. */
export async function write(text: string | Uint8Array): Promise<void> {
  if (text.length > 0 && !process.stdout.write(text)) await once(process.stdout, 'drain')
}

export async function json(value: unknown): Promise<void> {
  await write(`${JSON.stringify(value, null, 2)}\n`)
}

/** Rows in aligned columns, under headings. Numbers are for the caller to have made text. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [headings, ...rows]
  const widths = headings.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ''))))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - width(cell))))
      .join('  ')
      .trimEnd()
  return `${all.map(line).join('\n')}\n`
}

/** Columns that a text takes in a terminal: wide characters take two, combining ones none. */
export function width(text: string): number {
  let columns = 0
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    if (/\p{Mark}/u.test(character)) continue
    columns +=
      code >= 0x1100 &&
      /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}]/u.test(character)
        ? 2
        : 1
  }
  return columns
}

/** Text from a target or another person, safe to show: controls could move the cursor, other characters turn or hide text. */
export function printable(text: string): string {
  return spellProse(text)
}

/** A text that somebody is to approve, or that ran: every character that would not be seen is spelled out. */
export function exact(text: string): string {
  return spellUnseen(text)
}

/** One CSV line (RFC 4180); NULL is an empty field, an empty text is `""`. */
export function csv(row: readonly (string | null)[]): string {
  const fields = row.map((cell) => {
    if (cell === null) return ''
    return cell === '' || /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
  })
  return `${fields.join(',')}\n`
}

/** `2026-03-14T15:09:26.535Z` as `2026-03-14 15:09:26`, in UTC. */
export function clock(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ')
}
