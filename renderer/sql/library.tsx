import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useDeferredValue, useRef, useState } from 'react'
import type { SavedQuery } from '../../shared/rpc/editor.ts'
import { pathParts } from '../../shared/sql/saved-path.ts'
import { Icon } from '../decisions/icon.tsx'
import { SqlText } from '../decisions/sql-text.tsx'
import { milliseconds, timeOfDay } from '../decisions/time.ts'
import { counted, looks } from '../decisions/words.ts'
import { useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { findSaved, useSaved } from '../sidebar/use-saved.ts'
import { Button, Empty, IconButton, Segments } from '../theme/controls.tsx'

type Shown = 'history' | 'saved'

interface Props {
  connection: string
  /** What would be saved: the selection, or the statement at the cursor. */
  current(): string
  onInsert(text: string): void
  onClose(): void
}

/** What was run before, and what was kept on purpose; both are searched, and go into the text where the cursor is. */
export function Library({ connection, current, onInsert, onClose }: Props) {
  const [shown, setShown] = useState<Shown>('history')
  const [search, setSearch] = useState('')
  const field = useRef<HTMLInputElement>(null)
  return (
    <aside
      className="peek lib"
      aria-label="Queries"
      onKeyDown={(event) => {
        if (event.key === 'Escape') onClose()
      }}
    >
      <div className="peek__hd">
        <Segments<Shown>
          label="Queries"
          value={shown}
          onChange={setShown}
          options={[
            { value: 'history', label: 'History' },
            { value: 'saved', label: 'Saved' },
          ]}
        />
        <span className="grow" />
        <IconButton icon="x" label="Close queries" onClick={onClose} />
      </div>
      <div className="lib__find">
        <span className="input">
          <Icon name="search" size={14} />
          <input
            // biome-ignore lint/a11y/noAutofocus: it was opened to look for something
            autoFocus
            ref={field}
            aria-label={shown === 'history' ? 'Search history' : 'Search saved queries'}
            placeholder={shown === 'history' ? 'Search what was run' : 'Search names and statements'}
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
        </span>
      </div>
      {shown === 'history' ? (
        <History connection={connection} search={search} onInsert={onInsert} />
      ) : (
        <Saved
          connection={connection}
          search={search}
          current={current}
          onInsert={onInsert}
          onSaved={() => setSearch('')}
          onLeave={() => field.current?.focus()}
        />
      )}
    </aside>
  )
}

function History({ connection, search, onInsert }: Pick<Props, 'connection' | 'onInsert'> & { search: string }) {
  const { queries } = useRpc()
  const words = useDeferredValue(search)
  const query = useQuery(
    queries.editor.history.queryOptions({ input: { search: words, connection, limit: 200 }, staleTime: 0 }),
  )
  const entries = query.data?.entries ?? []
  if (query.error) return <p className="lib__bd err">{problemOf(query.error).message}</p>
  if (entries.length === 0 && !query.isPending) {
    return (
      <Empty
        icon="clock"
        title={search === '' ? 'Nothing was run here yet' : 'Nothing fits'}
        text="Statements are kept on this computer, without what they returned."
      />
    )
  }
  return (
    <ol className="lib__bd scroll" aria-label="History">
      {entries.map((entry) => (
        <li key={entry.id}>
          <button type="button" className="lib__row" onClick={() => onInsert(entry.text)}>
            <span className="row lib__meta">
              <span className={`row row--4 fg d-${looks[entry.outcome].tone}`}>
                <Icon name={looks[entry.outcome].icon} size={12} />
                {looks[entry.outcome].word}
              </span>
              <span className="t3 num">
                {[
                  entry.rows === undefined ? '' : counted(entry.rows, 'row'),
                  entry.ms === undefined ? '' : milliseconds(entry.ms),
                ]
                  .filter((part) => part !== '')
                  .join(' · ')}
              </span>
              <span className="right t3 num">
                {dayOf(entry.at)} {timeOfDay(Date.parse(entry.at))}
              </span>
            </span>
            <span className="lib__sql">
              <SqlText text={entry.text.slice(0, 300)} />
            </span>
          </button>
        </li>
      ))}
      {query.data?.more && <li className="t3 sm lib__more">Search to see older ones.</li>}
    </ol>
  )
}

function dayOf(at: string): string {
  const then = new Date(at)
  if (then.toDateString() === new Date().toDateString()) return ''
  return then.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })
}

function Saved({
  connection,
  search,
  current,
  onInsert,
  onSaved,
  onLeave,
}: Pick<Props, 'connection' | 'current' | 'onInsert'> & {
  search: string
  /** What was saved is to be seen, whatever was searched for. */
  onSaved(): void
  /** What had the focus is gone. */
  onLeave(): void
}) {
  const { query, save, remove } = useSaved()
  const [naming, setNaming] = useState(false)
  const [path, setPath] = useState({ name: '', folder: '' })
  /** What was removed last, until it is put back or something else is done. */
  const [removed, setRemoved] = useState<SavedQuery | undefined>(undefined)
  // The same name in the same folder is the same query, with another text.
  const there = (query.data ?? []).find(
    (saved) => saved.name === path.name.trim() && saved.folder === pathParts(path.folder).join('/'),
  )
  const found = findSaved(query.data ?? [], search)
  const folders = [...Map.groupBy(found, (q) => q.folder)]
  const leave = () => {
    setNaming(false)
    onLeave()
  }
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const text = current()
    const change = { ...path, connection, text, ...(there === undefined ? {} : { id: there.id }) }
    const done = () => {
      onSaved()
      leave()
    }
    save.mutate(change, { onSuccess: done })
  }
  const putBack = ({ id: _, savedAt: __, ...change }: SavedQuery) =>
    save.mutate(change, {
      onSuccess: () => {
        setRemoved(undefined)
        onLeave()
      },
    })
  const problem = save.error ?? remove.error ?? query.error
  return (
    <>
      {problem && <p className="err lib__find">{problemOf(problem).message}</p>}
      {naming ? (
        <form
          className="lib__find lib__form"
          aria-label="Save query"
          onSubmit={submit}
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return
            // Of the form alone, not of the panel around it.
            event.stopPropagation()
            leave()
          }}
        >
          <span className="input">
            <input
              name="name"
              aria-label="Name"
              placeholder="Name"
              required
              maxLength={120}
              value={path.name}
              onChange={(event) => setPath({ ...path, name: event.currentTarget.value })}
              // biome-ignore lint/a11y/noAutofocus: the form was asked for
              autoFocus
            />
          </span>
          <span className="input">
            <input
              name="folder"
              aria-label="Folder"
              placeholder="Folder, with / between"
              maxLength={200}
              value={path.folder}
              onChange={(event) => setPath({ ...path, folder: event.currentTarget.value })}
            />
          </span>
          <span className="row">
            <Button size="sm" kind="primary" type="submit" disabled={save.isPending}>
              {there === undefined ? 'Save' : 'Replace'}
            </Button>
            <Button size="sm" kind="ghost" onClick={leave}>
              Back
            </Button>
          </span>
        </form>
      ) : (
        <div className="lib__find">
          <Button size="sm" icon="plus" disabled={current().trim() === ''} onClick={() => setNaming(true)}>
            Save this statement…
          </Button>
        </div>
      )}
      {removed !== undefined && (
        <p className="row lib__find t2 sm" role="status">
          <span className="grow">Removed {removed.name}.</span>
          <Button size="sm" autoFocus onClick={() => putBack(removed)}>
            Undo
          </Button>
        </p>
      )}
      <div className="lib__bd scroll">
        {folders.length === 0 && !query.isPending && (
          <Empty icon="folder" title={search === '' ? 'No saved queries' : 'Nothing fits'} />
        )}
        {folders.map(([folder, all]) => (
          <section key={folder} aria-label={folder === '' ? 'No folder' : folder}>
            {folder !== '' && (
              <h3 className="lib__folder row row--6">
                <Icon name="folder" size={12} />
                {folder}
              </h3>
            )}
            <ul>
              {all.map((saved) => (
                <SavedRow
                  key={saved.id}
                  saved={saved}
                  onInsert={onInsert}
                  onRemove={() => remove.mutate(saved.id, { onSuccess: () => setRemoved(saved) })}
                />
              ))}
            </ul>
          </section>
        ))}
      </div>
    </>
  )
}

function SavedRow({
  saved,
  onInsert,
  onRemove,
}: {
  saved: SavedQuery
  onInsert(text: string): void
  onRemove(): void
}) {
  return (
    <li className="lib__saved">
      <button type="button" className="lib__row" onClick={() => onInsert(saved.text)}>
        <span className="row lib__meta">
          <b>{saved.name}</b>
          {saved.connection && <span className="right t3">{saved.connection}</span>}
        </span>
        <span className="lib__sql">
          <SqlText text={saved.text.slice(0, 300)} />
        </span>
      </button>
      <IconButton icon="x" size={12} label={`Remove ${saved.name}`} onClick={onRemove} />
    </li>
  )
}
