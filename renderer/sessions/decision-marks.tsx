import './decision-marks.css'
import { useMemo } from 'react'
import type { Outcome } from '../../shared/recording.ts'
import { Icon } from '../decisions/icon.tsx'
import { counted, type Look, outcomeLook } from '../decisions/words.ts'
import { placed } from './spread.ts'

export interface Marked {
  outcome: Outcome | 'held'
}

/** Decisions on a lane, as buttons: none under another, and one for those that have no room beside each other. */
export function DecisionMarks<T extends Marked>({
  items,
  places,
  size,
  width,
  className,
  chosen,
  name,
  onChoose,
}: {
  items: readonly T[]
  /** Of each, in pixels. */
  places: readonly number[]
  /** A mark with the room beside it; pixels. */
  size: number
  width: number
  className: string
  chosen?: T | undefined
  /** What comes after the word: `at 0:12`. */
  name(item: T): string
  onChoose(item: T): void
}) {
  const marks = useMemo(() => placed(places, size, width), [places, size, width])
  return marks.map(({ at, of }) => {
    const there = of.flatMap((i) => items[i] ?? [])
    const [first] = there
    if (first === undefined) return null
    const look = gravest(there)
    const isChosen = chosen !== undefined && there.includes(chosen)
    const label = there.length === 1 ? `${look.word} ${name(first)}` : `${summed(there)}, the first ${name(first)}`
    // Pressed again, it goes on to the next that is here.
    const next = isChosen ? (there[there.indexOf(chosen) + 1] ?? first) : first
    return (
      <button
        type="button"
        key={of[0]}
        className={`${className} d-${look.tone}${there.length > 1 ? ' is-many' : ''}${isChosen ? ' is-sel' : ''}`}
        style={{ left: at }}
        aria-label={label}
        title={there.length > 1 ? label : undefined}
        onClick={() => onChoose(next)}
      >
        <Icon name={look.icon} size={12} />
      </button>
    )
  })
}

const grave: readonly Look['tone'][] = ['blocked', 'held', 'granted', 'masked', 'ended', 'info', 'allowed']

/** What somebody who looks for trouble looks for first. */
export function gravest(items: readonly Marked[]): Look {
  return items
    .map((item) => outcomeLook(item.outcome))
    .reduce((most, look) => (grave.indexOf(look.tone) < grave.indexOf(most.tone) ? look : most))
}

/** `5 decisions: 3 Masked, 2 Blocked` */
function summed(items: readonly Marked[]): string {
  const counts = new Map<string, number>()
  for (const { outcome } of items) {
    const { word } = outcomeLook(outcome)
    counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  return `${counted(items.length, 'decision')}: ${[...counts].map(([word, n]) => `${n} ${word}`).join(', ')}`
}
