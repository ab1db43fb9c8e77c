import './saved.css'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import type { SavedQuery } from '../../shared/rpc/editor.ts'
import { Icon } from '../decisions/icon.tsx'
import { useDesk, usePlace } from '../frame/desk.tsx'
import { problemOf } from '../rpc/problem.ts'
import { Button, IconButton } from '../theme/controls.tsx'
import { findSaved, parseSavedPath, savedPath, useOpenSaved, useSaved } from './use-saved.ts'

/** Saved queries, under the tree. The filter of the side bar searches them too, and opens them where it finds some. */
export function Saved({ filter }: { filter: string }) {
  const { query, save, remove } = useSaved()
  const open = useOpenSaved()
  const { place } = useDesk()
  const { saved: wanted } = usePlace()
  const [said, setSaid] = useState('')
  const section = useRef<HTMLElement>(null)
  const all = query.data ?? []
  const found = findSaved(all, filter)
  const shown = wanted !== 'folded' || filter !== ''
  useEffect(() => {
    if (wanted !== 'asked' || all.length === 0) return
    section.current?.querySelector<HTMLElement>('.saved__row')?.focus()
    place.update((p) => ({ ...p, saved: 'open' }))
  }, [wanted, all.length, place])
  const problem = query.error ?? save.error ?? remove.error
  if (all.length === 0 && problem === null) return null
  const words = problem === null ? said : problemOf(problem).message
  return (
    <section className="saved" aria-label="Saved queries" ref={section}>
      <button
        type="button"
        className="saved__hd"
        aria-expanded={shown}
        onClick={() => place.update((p) => ({ ...p, saved: wanted === 'folded' ? 'open' : 'folded' }))}
      >
        <Icon name={shown ? 'chev-down' : 'chev-right'} size={12} />
        Saved queries <span className="right t3 num">{found.length}</span>
      </button>
      {shown && (
        <ul className="saved__list scroll">
          {found.map((query) => (
            <Row
              key={query.id}
              query={query}
              onOpen={() => setSaid(open(query) ? '' : 'Open a database first: this query names none.')}
              onRename={(named) => {
                const { savedAt: _, ...kept } = query
                save.mutate({ ...kept, ...named })
              }}
              onRemove={() => remove.mutate(query.id)}
            />
          ))}
        </ul>
      )}
      <p className="saved__said sm t2" role="status">
        {words}
      </p>
    </section>
  )
}

type Doing = 'nothing' | 'rename' | 'delete'

function Row({
  query,
  onOpen,
  onRename,
  onRemove,
}: {
  query: SavedQuery
  onOpen(): void
  onRename(named: Pick<SavedQuery, 'folder' | 'name'>): void
  onRemove(): void
}) {
  const [doing, setDoing] = useState<Doing>('nothing')
  const path = savedPath(query)
  const row = useRef<HTMLLIElement>(null)
  const stop = () => {
    setDoing('nothing')
    requestAnimationFrame(() => row.current?.querySelector('button')?.focus())
  }
  const rename = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const named = parseSavedPath(String(new FormData(event.currentTarget).get('path')))
    if (named !== undefined && savedPath(named) !== path) onRename(named)
    stop()
  }
  return (
    <li
      ref={row}
      className="saved__item"
      onKeyDown={(event) => {
        if (event.key === 'Escape' && doing !== 'nothing') stop()
        if (event.key === 'F2') setDoing('rename')
        if (event.key === 'Delete' && doing === 'nothing') setDoing('delete')
      }}
    >
      {doing === 'nothing' && (
        <>
          <button type="button" className="saved__row" title={query.text.slice(0, 400)} onClick={onOpen}>
            <Icon name="file" size={14} />
            <span className="trunc">{path}</span>
            {query.connection && <span className="saved__on t3 trunc">{query.connection}</span>}
          </button>
          <span className="saved__acts">
            <IconButton icon="pencil" size={12} label={`Rename ${path}`} onClick={() => setDoing('rename')} />
            <IconButton icon="x" size={12} label={`Delete ${path}…`} onClick={() => setDoing('delete')} />
          </span>
        </>
      )}
      {doing === 'rename' && (
        <form className="row saved__form" aria-label={`Rename ${path}`} onSubmit={rename}>
          <span className="input">
            {/* biome-ignore lint/a11y/noAutofocus: it was asked for */}
            <input name="path" aria-label="Folder and name" defaultValue={path} maxLength={300} required autoFocus />
          </span>
          <Button size="sm" kind="primary" type="submit">
            Rename
          </Button>
        </form>
      )}
      {doing === 'delete' && (
        <fieldset className="row saved__form" aria-label={`Delete ${path}`}>
          <span className="trunc">Delete {path}?</span>
          <Button size="sm" kind="danger" className="right" autoFocus onClick={onRemove}>
            Delete
          </Button>
          <Button size="sm" kind="ghost" onClick={stop}>
            Keep
          </Button>
        </fieldset>
      )}
    </li>
  )
}
