import { InvalidArgumentError } from 'commander'

/** Reads an option that is a whole number from 0 to `most`; `words` say so to who typed another. */
export function wholeUpTo(most: number, words: string): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < 0 || value > most) throw new InvalidArgumentError(words)
    return value
  }
}
