import type { Find, Span } from './span.ts'

/**
 * National identity numbers of some countries, where a check digit or a fixed look tells them from other numbers: United Kingdom
 * (NINO), Spain (DNI, NIE), France (NIR), Italy (codice fiscale), Poland (PESEL), Brazil (CPF), Sweden (personnummer), India (Aadhaar).
 */
export const findNationalIds: Find = (text) => {
  const found: Span[] = []
  for (const { pattern, valid } of kinds) {
    pattern.lastIndex = 0
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      const [whole] = match
      if (valid(whole.replaceAll(/[ .-]/g, ''))) found.push({ start: match.index, end: match.index + whole.length })
    }
  }
  found.sort((a, b) => a.start - b.start || b.end - a.end)
  return found.filter((span, i) => i === 0 || span.start >= Math.max(...found.slice(0, i).map((before) => before.end)))
}

interface Kind {
  /** Fixed lengths alone: nothing to go back on. */
  pattern: RegExp
  valid(compact: string): boolean
}

const digitsOf = (text: string): number[] => [...text].map(Number)
const weighted = (digits: readonly number[], weights: readonly number[]): number =>
  weights.reduce((sum, weight, i) => sum + weight * (digits[i] ?? 0), 0)

const kinds: readonly Kind[] = [
  {
    pattern: /\b(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b/g,
    valid: () => true,
  },
  { pattern: /\b[0-9XYZ]\d{7}-?[A-HJ-NP-TV-Z]\b/g, valid: isDni },
  { pattern: /\b[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-4]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}\b/g, valid: isNir },
  { pattern: /\b[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]\b/g, valid: isCodiceFiscale },
  { pattern: /(?<![\w.-])\d{11}(?![\w.-])/g, valid: isPesel },
  { pattern: /\b\d{3}\.\d{3}\.\d{3}-\d{2}\b/g, valid: isCpf },
  { pattern: /\b(?:19|20)?\d{6}-\d{4}\b/g, valid: isPersonnummer },
  { pattern: /(?<![\w-])[2-9]\d{3} \d{4} \d{4}(?![\w-]| \d)/g, valid: isAadhaar },
]

function isDni(id: string): boolean {
  const first = { X: '0', Y: '1', Z: '2' }[id[0] ?? ''] ?? id[0] ?? ''
  return 'TRWAGMYFPDXBNJZSQVHLCKE'[Number(first + id.slice(1, 8)) % 23] === id[8]
}

function isNir(id: string): boolean {
  const number = id.slice(0, 13).replace('2A', '19').replace('2B', '18')
  return 97n - (BigInt(number) % 97n) === BigInt(id.slice(13))
}

const odd = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]

function isCodiceFiscale(id: string): boolean {
  const value = (char: string): number => (/\d/.test(char) ? Number(char) : char.charCodeAt(0) - 65)
  const sum = [...id.slice(0, 15)].reduce(
    (all, char, i) => all + (i % 2 === 0 ? (odd[value(char)] ?? 0) : value(char)),
    0,
  )
  return String.fromCharCode(65 + (sum % 26)) === id[15]
}

function isPesel(id: string): boolean {
  const month = Number(id.slice(2, 4)) % 20
  const day = Number(id.slice(4, 6))
  if (month < 1 || month > 12 || day < 1 || day > 31) return false
  const digits = digitsOf(id)
  return (10 - (weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10 === digits[10]
}

function isCpf(id: string): boolean {
  const digits = digitsOf(id)
  if (digits.every((one) => one === digits[0])) return false
  const check = (weights: readonly number[]): number => ((weighted(digits, weights) * 10) % 11) % 10
  return check([10, 9, 8, 7, 6, 5, 4, 3, 2]) === digits[9] && check([11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) === digits[10]
}

function isPersonnummer(id: string): boolean {
  const short = digitsOf(id.slice(-10))
  const month = Number(id.slice(-8, -6))
  // A co-ordination number has 60 added to its day.
  const day = Number(id.slice(-6, -4)) % 60
  if (month < 1 || month > 12 || day < 1 || day > 31) return false
  const sum = short.reduce((all, one, i) => all + (i % 2 === 1 ? one : one > 4 ? 2 * one - 9 : 2 * one), 0)
  return sum % 10 === 0
}

/** Verhoeff's: the group of the pentagon's symmetries, and a permutation by place. */
function isAadhaar(id: string): boolean {
  let check = 0
  for (const [i, one] of digitsOf(id).reverse().entries()) check = times(check, permuted(one, i % 8))
  return check === 0
}

function times(a: number, b: number): number {
  if (a < 5) return b < 5 ? (a + b) % 5 : 5 + ((a + b) % 5)
  return b < 5 ? 5 + ((a - b + 5) % 5) : (a - b + 5) % 5
}

function permuted(one: number, rounds: number): number {
  let value = one
  for (let i = 0; i < rounds; i++) value = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4][value] ?? 0
  return value
}
