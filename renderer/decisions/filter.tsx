import { Icon } from './icon.tsx'
import { type LookName, looks } from './words.ts'

const offered: readonly LookName[] = ['masked', 'held', 'blocked', 'granted']

/** Narrows a list of decisions to one word. */
export function DecisionFilter({
  present,
  value,
  onChange,
  words,
}: {
  /** The look of each entry of the list. */
  present: readonly LookName[]
  value: LookName | undefined
  onChange(look: LookName | undefined): void
  /** Show the words, where there is room. */
  words?: boolean
}) {
  return (
    <>
      <button
        type="button"
        className={value === undefined ? 'fc is-on' : 'fc'}
        aria-pressed={value === undefined}
        onClick={() => onChange(undefined)}
      >
        All {present.length}
      </button>
      {offered.map((look) => {
        const { word, icon, tone } = looks[look]
        const count = present.filter((other) => looks[other].tone === tone).length
        return (
          <button
            type="button"
            key={look}
            className={`fc d-${tone}${value === look ? ' is-on' : ''}${count === 0 ? ' is-none' : ''}`}
            aria-pressed={value === look}
            aria-label={`${word} ${count}`}
            onClick={() => onChange(value === look ? undefined : look)}
          >
            <span className="fg">
              <Icon name={icon} size={12} />
            </span>
            {words && word} {count}
          </button>
        )
      })}
    </>
  )
}

/** Whether a look passes the filter: those of one colour belong together (Granted, Approved). */
export function passes(look: LookName, filter: LookName | undefined): boolean {
  return filter === undefined || looks[look].tone === looks[filter].tone
}
