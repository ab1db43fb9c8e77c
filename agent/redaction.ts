import { builtinDetectors, redactor } from '../policy/detectors.ts'
import { type KeyedHash, maskFor, redacted } from '../policy/masks.ts'
import type { DataClass, PolicySet } from '../policy/set.ts'

/** Masks every sensitive value in a text, whoever asks: what is recorded may be read by others. */
export type Redact = (text: string) => string

/** Made once for a set, because it learns from the texts that it sees. */
export function redactorOf(set: PolicySet | undefined, hash: KeyedHash): Redact {
  return redactor(set === undefined ? everyDetector : rulesOf(set.dataClasses, hash))
}

/** Text has no NULL: where a column would be NULL, text is redacted. */
export function textMaskFor(dataClass: DataClass, hash: KeyedHash): (value: string) => string {
  const mask = maskFor(dataClass.mask, hash)
  return (value) => mask(value) ?? redacted
}

function rulesOf(classes: readonly DataClass[], hash: KeyedHash) {
  return classes.flatMap((each) => (each.detector ? [{ ...each.detector, mask: textMaskFor(each, hash) }] : []))
}

/** Before there is a policy nothing runs, but what was asked is recorded. */
const everyDetector = Object.values(builtinDetectors).map((each) => ({ ...each, mask: () => redacted }))
