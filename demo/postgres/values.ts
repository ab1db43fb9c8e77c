import type { Random } from '../random.ts'

/** Values that look real and belong to nobody: names of many countries, numbers with valid check digits. */
const first = [
  'Lena',
  'Marco',
  'Aoife',
  'Jun',
  'Priya',
  'Tomás',
  'Hannah',
  'Dele',
  'Sofia',
  'Jonas',
  'Aiko',
  'Ben',
  'Noor',
  'Mira',
  'Chidi',
  'Elif',
  'Mateus',
  'Ingrid',
  'Yusuf',
  'Camille',
  'Olek',
  'Ximena',
  'Rohan',
  'Freya',
  'Kofi',
  'Leila',
  'Hugo',
  'Anouk',
  'Viktor',
  'Zuri',
  'Emre',
  'Clara',
] as const
const last = [
  'Fischer',
  'Bianchi',
  'Byrne',
  'Watanabe',
  'Raman',
  'Herrera',
  'Weiss',
  'Adeyemi',
  'Marin',
  'Lindqvist',
  'Tanaka',
  'Kowalski',
  'Haddad',
  'Okafor',
  'Eze',
  'Yilmaz',
  'Silva',
  'Hansen',
  'Demir',
  'Laurent',
  'Nowak',
  'Rojas',
  'Mehta',
  'Olsen',
  'Mensah',
  'Karimi',
  'Moreau',
  'de Vries',
  'Petrov',
  'Wanjiru',
  'Schneider',
  'Santos',
] as const
const hosts = ['mailbox.example', 'post.example', 'inbox.example', 'correo.example', 'fastmail.example'] as const

const countries = [
  { code: 'DE', phone: '+49' },
  { code: 'US', phone: '+1' },
  { code: 'FR', phone: '+33' },
  { code: 'GB', phone: '+44' },
  { code: 'JP', phone: '+81' },
  { code: 'BR', phone: '+55' },
  { code: 'IN', phone: '+91' },
  { code: 'NG', phone: '+234' },
  { code: 'IE', phone: '+353' },
  { code: 'ES', phone: '+34' },
] as const

export interface Customer {
  id: number
  name: string
  email: string
  phone: string
  ssn: string
  cardNumber: string
  country: string
  createdAt: string
}

export function customer(id: number, random: Random): Customer {
  const given = random.pick(first)
  const family = random.pick(last)
  const country = random.pick(countries)
  const mailbox = `${given}.${family}`
    .normalize('NFD')
    .replace(/[^A-Za-z.]/g, '')
    .toLowerCase()
  return {
    id,
    name: `${given} ${family}`,
    email: `${mailbox}${id}@${random.pick(hosts)}`,
    phone: `${country.phone} ${1 + random.below(9)}${random.digits(2)} ${random.digits(7)}`,
    ssn: `${100 + random.below(566)}-${String(1 + random.below(99)).padStart(2, '0')}-${String(1 + random.below(9999)).padStart(4, '0')}`,
    cardNumber: withLuhn(`${random.pick(['4539', '5425', '4716', '5191'])}${random.digits(11)}`),
    country: country.code,
    createdAt: time(random, 900),
  }
}

/** Appends the Luhn check digit (ISO/IEC 7812-1). */
export function withLuhn(digits: string): string {
  let sum = 0
  for (let i = 0; i < digits.length; i += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48
    const doubled = i % 2 === 0 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return `${digits}${(10 - (sum % 10)) % 10}`
}

/** A moment in the `days` before the demo's fixed present, in seconds since 1970. */
export function moment(random: Random, days: number): number {
  return Date.UTC(2026, 9, 14, 15, 0, 0) / 1000 - random.below(days * 24 * 3600)
}

const hours = Array.from({ length: 24 * 60 }, (_, i) => new Date(i * 60_000).toISOString().slice(10, 17))
const seconds = Array.from({ length: 60 }, (_, i) => `${String(i).padStart(2, '0')}.000Z`)
const dates = new Map<number, string>()

/** As `toISOString` has it; a million of them are wanted at the demo's first start. */
export function timeOf(moment: number): string {
  const day = Math.floor(moment / 86_400)
  let date = dates.get(day)
  if (date === undefined) {
    date = new Date(day * 86_400_000).toISOString().slice(0, 10)
    dates.set(day, date)
  }
  const inDay = moment - day * 86_400
  return `${date}${hours[Math.floor(inDay / 60)]}${seconds[inDay % 60]}`
}

/** A moment in the `days` before the demo's fixed present. */
export function time(random: Random, days: number): string {
  return timeOf(moment(random, days))
}
