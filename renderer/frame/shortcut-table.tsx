import './shortcuts.css'
import { type KeyboardEvent, useState } from 'react'
import { Chord } from '../actions/chord.tsx'
import { type ActionId, actionIds, actionOf, conflict, defaultKeys, scopes } from '../actions/table.ts'
import { useBindings } from '../actions/use-actions.ts'
import { combinationOf, keyParts } from '../decisions/keys.ts'
import { usePlatform, useRpc, useSettings } from '../rpc/context.tsx'
import { Button, IconButton } from '../theme/controls.tsx'

/** Actions by where they can be done: all, or those that have keys. */
export function ShortcutTable({ only = 'all' }: { only?: 'all' | 'with-keys' }) {
  const bound = useBindings()
  const shown = actionIds.filter((id) => only === 'all' || bound.has(id))
  const groups = Object.entries(scopes)
    .map(([scope, title]) => ({ title, ids: shown.filter((id) => actionOf(id).scope === scope) }))
    .filter((group) => group.ids.length > 0)
  return (
    <div className="skc">
      {groups.map(({ title, ids }) => (
        <section key={title} aria-label={title}>
          <h3 className="h-label skc__h">{title}</h3>
          <ul className="skc__l">
            {ids.map((id) => (
              <Row id={id} key={id} />
            ))}
          </ul>
        </section>
      ))}
    </div>
  )
}

function Row({ id }: { id: ActionId }) {
  const { live } = useRpc()
  const { os, shell } = usePlatform()
  const bound = useBindings()
  const changed = useSettings()?.keys ?? {}
  const [recording, setRecording] = useState(false)
  const [wanted, setWanted] = useState<{ keys: string; holder: ActionId } | undefined>(undefined)
  const { name } = actionOf(id)
  const own = changed[id] !== undefined
  const keys = bound.get(id)
  const shown = keys === undefined ? 'none' : keyParts(keys, os).join(' ')
  const save = (change: Readonly<Record<string, string | undefined>>) => {
    const merged = Object.entries({ ...changed, ...change })
    const keys = Object.fromEntries(merged.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])))
    setRecording(false)
    setWanted(undefined)
    live.saveSettings({ keys }).catch((error: unknown) => console.warn('The keys were not saved.', error))
  }
  const press = (event: KeyboardEvent) => {
    if (!recording || event.key === 'Tab') return
    event.preventDefault()
    event.stopPropagation()
    const keys = combinationOf(event.nativeEvent, os)
    if (keys === undefined) return
    if (keys === 'Escape') {
      setRecording(false)
      return
    }
    if (keys === 'Backspace' || keys === 'Delete') {
      save({ [id]: '' })
      return
    }
    const holder = conflict(id, keys, bound)
    if (holder === undefined) save({ [id]: keys === defaultKeys(id, shell) ? undefined : keys })
    else {
      setRecording(false)
      setWanted({ keys, holder })
    }
  }
  return (
    <li>
      <div className="skr">
        <span className="trunc">{name}</span>
        <span className="row row--4 right">
          {own && (
            <IconButton
              icon="undo"
              size={12}
              label={`Default keys for ${name}`}
              onClick={() => save({ [id]: undefined })}
            />
          )}
          <button
            type="button"
            className={recording ? 'skr__k is-on' : 'skr__k'}
            data-records-keys={recording ? '' : undefined}
            aria-label={recording ? `Press the new keys for ${name}` : `Change the keys of ${name}, ${shown}`}
            onClick={() => setRecording(!recording)}
            onKeyDown={press}
            onBlur={() => setRecording(false)}
          >
            {recording ? <span className="sm">Press keys</span> : <Chord keys={bound.get(id)} />}
          </button>
        </span>
      </div>
      {wanted && (
        <p className="skr__c sm" role="alert">
          <Chord keys={wanted.keys} /> <span className="grow">is {actionOf(wanted.holder).name}.</span>
          <Button size="sm" onClick={() => save({ [id]: wanted.keys, [wanted.holder]: '' })}>
            Use here
          </Button>
          <Button size="sm" kind="ghost" onClick={() => setWanted(undefined)}>
            Leave it
          </Button>
        </p>
      )}
    </li>
  )
}
