import { useRef } from 'react'
import { useActions } from '../actions/use-actions.ts'
import { Icon } from '../decisions/icon.tsx'
import { IconButton } from '../theme/controls.tsx'

/** Looks for what was asked in a recording. Enter goes on to the next place, Shift Enter back. */
export function FindInRecording({
  texts,
  at,
  query,
  onQuery,
  onGo,
}: {
  texts: readonly string[]
  /** Which of the texts the replay is at; -1 before the first. */
  at: number
  query: string
  onQuery(query: string): void
  onGo(index: number): void
}) {
  const field = useRef<HTMLInputElement>(null)
  useActions({ 'view.filter': () => field.current?.focus() })
  const found = matchesIn(texts, query)
  const step = (by: 1 | -1) => {
    const next = nextMatch(found, at, by)
    if (next !== undefined) onGo(next)
  }
  return (
    <search className="row row--4 rfind">
      <span className="input input--quiet">
        <Icon name="search" size={14} />
        <input
          ref={field}
          type="search"
          aria-label="Find in this recording"
          placeholder="Find"
          value={query}
          onChange={(event) => onQuery(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') step(event.shiftKey ? -1 : 1)
            if (event.key === 'Escape') onQuery('')
          }}
        />
        {query !== '' && (
          <span className="xs t3 num" role="status">
            {found.length === 0 ? 'Not found' : `${found.indexOf(at) + 1} of ${found.length}`}
          </span>
        )}
      </span>
      {query !== '' && (
        <>
          <IconButton icon="chev-up" label="Match before" onClick={() => step(-1)} />
          <IconButton icon="chev-down" label="Next match" onClick={() => step(1)} />
        </>
      )}
    </search>
  )
}

/** Indexes of the texts that hold the query, in any case of letters. */
export function matchesIn(texts: readonly string[], query: string): readonly number[] {
  const wanted = query.trim().toLowerCase()
  if (wanted === '') return []
  return texts.flatMap((text, i) => (text.toLowerCase().includes(wanted) ? [i] : []))
}

/** The match after `at`, or before it; from the last on to the first. */
export function nextMatch(found: readonly number[], at: number, by: 1 | -1): number | undefined {
  const next = by === 1 ? found.find((i) => i > at) : found.findLast((i) => i < at)
  return next ?? (by === 1 ? found[0] : found.at(-1))
}

/** A text in which the places that fit are marked. */
export function Marked({ text, query }: { text: string; query: string }) {
  const wanted = query.trim().toLowerCase()
  const at = wanted === '' ? -1 : text.toLowerCase().indexOf(wanted)
  if (at === -1) return text
  return (
    <>
      {text.slice(0, at)}
      <mark>{text.slice(at, at + wanted.length)}</mark>
      {text.slice(at + wanted.length)}
    </>
  )
}
