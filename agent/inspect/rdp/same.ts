import { timingSafeEqual } from 'node:crypto'

/** Compares secrets in constant time, whatever their lengths. */
export function same(a: string, b: string): boolean {
  const [one, other] = [Buffer.alloc(256), Buffer.alloc(256)]
  one.write(a, 'utf8')
  other.write(b, 'utf8')
  return timingSafeEqual(one, other) && a.length === b.length
}
