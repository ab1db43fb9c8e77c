import { isDigit, isWord, type Span } from './span.ts'

/** Length by country, as SWIFT's registry has them. */
const lengths: Readonly<Record<string, number>> = Object.fromEntries(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 ' +
    'FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 ' +
    'LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 ' +
    'SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
)

/** International bank account numbers whose country, length and check digits fit; with or without a space after each four. */
export function findIbans(text: string): Span[] {
  const found: Span[] = []
  let i = 0
  const last = text.length - 15
  while (i <= last) {
    if (!isUpper(text.charCodeAt(i)) || isWord(text.charCodeAt(i - 1))) {
      i++
      continue
    }
    const length =
      isDigit(text.charCodeAt(i + 2)) && isDigit(text.charCodeAt(i + 3)) ? lengths[text.slice(i, i + 2)] : undefined
    const end = length === undefined ? 0 : ibanEnd(text, i, length)
    if (end > 0) {
      found.push({ start: i, end })
      i = end
    } else i++
  }
  return found
}

function ibanEnd(text: string, start: number, length: number): number {
  let compact = ''
  let i = start
  for (; compact.length < length; i++) {
    const code = text.charCodeAt(i)
    if (isUpper(code) || isDigit(code)) compact += text[i]
    else if (code !== 32 || compact.length % 4 !== 0 || text[i - 1] === ' ') return 0
  }
  return !isWord(text.charCodeAt(i)) && mod97(compact.slice(4) + compact.slice(0, 4)) === 1 ? i : 0
}

function mod97(text: string): number {
  let rest = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    rest = isDigit(code) ? (rest * 10 + code - 48) % 97 : (rest * 100 + code - 55) % 97
  }
  return rest
}

function isUpper(code: number): boolean {
  return code >= 65 && code <= 90
}
