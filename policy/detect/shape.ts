/** The ASCII characters that may stand at each place of a stretch of text. */
export type Shape = readonly string[]

export const digit = '0123456789'
export const hex = '0123456789abcdefABCDEF'
export const upperCase = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
export const lowerCase = upperCase.toLowerCase()
export const blank = ' \t'

/** Exactly this text. */
export function literal(text: string): Shape {
  return [...text]
}

/** This text, in capitals or not. */
export function anyCase(text: string): Shape {
  return [...text].map((char) =>
    char.toLowerCase() === char.toUpperCase() ? char : char.toLowerCase() + char.toUpperCase(),
  )
}

/** `count` places with the same characters. */
export function times(count: number, chars: string): Shape {
  return Array.from({ length: count }, () => chars)
}
