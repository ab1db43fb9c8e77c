import { prose } from '../shared/unseen.ts'

/** What a client typed, as PostgreSQL can store it: text there holds no NUL. It shows as its symbol, ␀. */
export function storable(text: string): string {
  return text.replaceAll('\0', '\u2400')
}

/** A reason, as it is kept and told: see `prose`. */
export function reasonOf(text: string): string {
  return prose(storable(text))
}
