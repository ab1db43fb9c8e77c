import './shortcuts.css'
import { type KeyboardEvent, useState } from 'react'
import { Chord } from '../actions/chord.tsx'
import { whyNot } from '../actions/reserved.ts'
import { type ActionId, actionIds, actionOf, conflicts, defaultKeys, isActionId, scopes } from '../actions/table.ts'
import { useBindings } from '../actions/use-actions.ts'
import { combinationOf, keyParts } from '../decisions/keys.ts'
import { counted } from '../decisions/words.ts'
import { usePlatform, useRpc, useSettings } from '../rpc/context.tsx'
import { Button, IconButton } from '../theme/controls.tsx'

/** Actions by where they can be done: all, or those that have keys or had some. */
export function ShortcutTable({ only = 'all' }: { only?: 'all' | 'with-keys' }) {
  const bound = useBindings()
  const changed = useSettings()?.keys ?? {}
  const shown = actionIds.filter((id) => only === 'all' || bound.has(id) || changed[id] !== undefined)
  const groups = Object.entries(scopes)
    .map(([scope, title]) => ({ title, ids: shown.filter((id) => actionOf(id).scope === scope) }))
    .filter((group) => group.ids.length > 0)
  return (
    <div className="skc">
      <AllDefault />
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

/** Once any key was changed: the way back for all of them. */
function AllDefault() {
  const { live } = useRpc()
  const changed = Object.keys(useSettings()?.keys ?? {}).filter(isActionId)
  if (changed.length === 0) return null
  return (
    <p className="row sm t2 skc__all">
      {counted(changed.length, 'action has', 'actions have')} keys of your own.
      <Button
        size="sm"
        kind="ghost"
        onClick={() => {
          live.saveSettings({ keys: {} }).catch((error: unknown) => console.warn('The keys were not saved.', error))
        }}
      >
        Default keys for all
      </Button>
    </p>
  )
}

type Wanted = { keys: string; holders: readonly ActionId[] } | { keys: string; why: string }

function Row({ id }: { id: ActionId }) {
  const { live } = useRpc()
  const platform = usePlatform()
  const { os } = platform
  const standard = defaultKeys(id, platform.shell)
  const bound = useBindings()
  const changed = useSettings()?.keys ?? {}
  const [recording, setRecording] = useState(false)
  const [wanted, setWanted] = useState<Wanted | undefined>(undefined)
  const { name } = actionOf(id)
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
    const why = whyNot(id, keys, platform)
    if (why === undefined) choose(keys)
    else {
      setRecording(false)
      setWanted({ keys, why })
    }
  }
  /** Takes the keys, unless others have them: then the person says whether. */
  const choose = (keys: string) => {
    const holders = conflicts(id, keys, bound)
    if (holders.length > 0) {
      setRecording(false)
      setWanted({ keys, holders })
    } else save({ [id]: own(keys) })
  }
  const own = (keys: string) => (keys === standard ? undefined : keys)
  return (
    <li>
      <div className="skr">
        <span className="trunc">{name}</span>
        <span className="row row--4 right">
          {changed[id] !== undefined && (
            <IconButton
              icon="undo"
              size={12}
              label={`Default keys for ${name}`}
              onClick={() => (standard === undefined ? save({ [id]: undefined }) : choose(standard))}
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
          <Chord keys={wanted.keys} />{' '}
          {'why' in wanted ? (
            <span className="grow">{wanted.why}</span>
          ) : (
            <>
              <span className="grow">is {wanted.holders.map((other) => actionOf(other).name).join(', ')}.</span>
              <Button
                size="sm"
                onClick={() =>
                  save({ [id]: own(wanted.keys), ...Object.fromEntries(wanted.holders.map((other) => [other, ''])) })
                }
              >
                Use here
              </Button>
            </>
          )}
          <Button size="sm" kind="ghost" onClick={() => setWanted(undefined)}>
            Leave it
          </Button>
        </p>
      )}
    </li>
  )
}
