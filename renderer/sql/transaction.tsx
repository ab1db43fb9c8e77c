import { Menu } from '@mantine/core'
import { useEffect, useState } from 'react'
import { Icon } from '../decisions/icon.tsx'
import { clock, useNow } from '../decisions/time.ts'
import type { SqlDocument } from '../dock/workspace.ts'
import { useDesk } from '../frame/desk.tsx'
import { usePause } from '../rpc/context.tsx'
import { useStore } from '../rpc/store.ts'
import { Button } from '../theme/controls.tsx'
import { Dialog } from '../theme/dialog.tsx'
import type { SqlState } from './run-state.ts'
import type { RunOptions, SqlRuntime } from './runtime.ts'

const modes = { auto: 'Auto-commit', manual: 'Manual commit' } as const

/** How statements are committed, and what becomes of an error in the middle of a run. */
export function RunMode({ runtime, state }: { runtime: SqlRuntime; state: SqlState }) {
  const options = useStore(runtime.options)
  const set = (change: Partial<RunOptions>) => runtime.options.update((o) => ({ ...o, ...change }))
  return (
    <Menu
      classNames={{ dropdown: 'menu menu--float', item: 'mi', label: 'menu__label' }}
      position="bottom-end"
      withinPortal
      unstyled
    >
      <Menu.Target>
        <Button size="sm" kind="ghost" disabled={state.running !== undefined}>
          <Icon name="sliders" size={14} />
          <span className="tools__opt">{modes[options.commit]}</span> <Icon name="chev-down" size={12} />
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Each statement is committed by itself, or all of them when you say so.</Menu.Label>
        {(['auto', 'manual'] as const).map((commit) => (
          <Menu.Item
            key={commit}
            disabled={commit === 'auto' && state.transaction !== 'none'}
            onClick={() => set({ commit })}
          >
            {modes[commit]} {options.commit === commit && <Chosen />}
          </Menu.Item>
        ))}
        {state.transaction !== 'none' && <Menu.Label>Commit or roll back first.</Menu.Label>}
        <Menu.Label>When a statement of a run fails</Menu.Label>
        {([true, false] as const).map((stopOnError) => (
          <Menu.Item key={String(stopOnError)} onClick={() => set({ stopOnError })}>
            {stopOnError ? 'Stop' : 'Go on with the next'} {options.stopOnError === stopOnError && <Chosen />}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

function Chosen() {
  return (
    <>
      <span aria-hidden="true">✓</span>
      <span className="visually-hidden">, chosen</span>
    </>
  )
}

/** The open transaction, and its two ways out. */
export function TransactionControls({ runtime, state }: { runtime: SqlRuntime; state: SqlState }) {
  const off = usePause() !== undefined || state.running !== undefined
  if (state.transaction === 'none') return null
  const failed = state.transaction === 'failed'
  return (
    <>
      <span
        className={failed ? 'tx tx--failed' : state.onlyRead ? 'tx tx--reads' : 'tx'}
        role="status"
        title={state.onlyRead ? 'It has only read so far: there is nothing to commit.' : undefined}
      >
        <span className="tools__opt">Transaction&nbsp;</span>
        <span className="tx__s">{failed ? 'failed' : 'open'}</span>
        {state.onlyRead && <span className="visually-hidden">, has only read</span>}
      </span>
      {state.running === undefined && state.idleSince !== undefined && <Idle since={state.idleSince} />}
      <Button size="sm" disabled={off || failed} onClick={() => void runtime.endTransaction('commit')}>
        Commit
      </Button>
      <Button size="sm" kind="ghost" disabled={off} onClick={() => void runtime.endTransaction('rollback')}>
        Roll back
      </Button>
      <span className="vr" />
    </>
  )
}

/** From then on somebody may be waiting for it. */
const idleMs = 60_000

/** An open transaction that nobody uses keeps its locks, and keeps VACUUM from its work. */
function Idle({ since }: { since: number }) {
  const idle = useNow() - since
  if (idle < idleMs) return null
  return (
    <span
      className="fg d-held row row--4"
      title="Nothing has run since. What the transaction has locked stays locked until it ends."
    >
      <Icon name="alert" size={14} />
      idle <span className="num">{clock(idle)}</span>
    </span>
  )
}

/** Closing a tab with an open transaction asks what should become of it. */
export function CloseGuard({ document, runtime }: { document: SqlDocument; runtime: SqlRuntime }) {
  const { workspace } = useDesk()
  const [asking, setAsking] = useState(false)
  const state = useStore(runtime.state)
  useEffect(
    () =>
      workspace.guard(document.id, () => {
        const { transaction, onlyRead, running } = runtime.state.get()
        // What only read has nothing to commit; what still runs may have.
        const open = transaction !== 'none' && (!onlyRead || running !== undefined)
        if (open) setAsking(true)
        return open
      }),
    [workspace, document.id, runtime],
  )
  const leave = async (how: 'commit' | 'rollback') => {
    if (!(await runtime.endTransaction(how))) return setAsking(false)
    setAsking(false)
    workspace.close(document.id)
  }
  const busy = state.running !== undefined
  return (
    <Dialog
      opened={asking}
      onClose={() => setAsking(false)}
      title="This tab has an open transaction"
      centered
      size={440}
      closeLabel="Keep the tab"
    >
      <div className="modal__pad">
        <p className="t2">
          {document.connection} · {document.title}. What was run in it is not yet committed.
          {state.transaction === 'failed' && ' It has failed, so it can only be rolled back.'}
          {busy && ' A statement is still running.'}
        </p>
        <div className="row tx__acts">
          <Button kind="primary" disabled={busy || state.transaction === 'failed'} onClick={() => void leave('commit')}>
            Commit and close
          </Button>
          <Button kind="danger" disabled={busy} onClick={() => void leave('rollback')}>
            Roll back and close
          </Button>
          <Button kind="ghost" onClick={() => setAsking(false)}>
            Keep the tab
          </Button>
        </div>
      </div>
    </Dialog>
  )
}
