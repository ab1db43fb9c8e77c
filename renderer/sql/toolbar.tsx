import { Menu } from '@mantine/core'
import type { ExplainMode } from '../../shared/rpc/editor.ts'
import { useKeys } from '../actions/use-actions.ts'
import { GrantChip } from '../decisions/chip.tsx'
import { EnvTag } from '../decisions/environment.tsx'
import { Icon } from '../decisions/icon.tsx'
import { clock, useNow } from '../decisions/time.ts'
import type { SqlDocument } from '../dock/workspace.ts'
import { grantWords, useMyGrants } from '../frame/grants.ts'
import { usePause } from '../rpc/context.tsx'
import { useConnection } from '../sidebar/connections.ts'
import { Button } from '../theme/controls.tsx'
import type { SqlState } from './run-state.ts'
import type { SqlRuntime } from './runtime.ts'
import { RunMode, TransactionControls } from './transaction.tsx'

export function SqlToolbar({
  document,
  state,
  onRun,
  onRunAll,
  onCancel,
  onFormat,
  onExplain,
  onLibrary,
  runtime,
}: {
  document: SqlDocument
  state: SqlState
  onRun(): void
  onRunAll(): void
  onCancel(): void
  onFormat(): void
  onExplain(mode: ExplainMode): void
  onLibrary(): void
  runtime: SqlRuntime
}) {
  const runKeys = useKeys('sql.run')
  const cancelKeys = useKeys('sql.cancel')
  const paused = usePause() !== undefined
  const connection = useConnection(document.connection)
  const running = state.running !== undefined
  return (
    <div className="tools tools--sql" role="toolbar" aria-label={`${document.connection} tools`}>
      <div className="crumb">
        <EnvTag environment={document.environment} />
        <b>{document.connection}</b>
        {connection?.database && (
          <>
            <Icon name="chev-right" size={12} />
            <span className="tools__more">{connection.database}</span>
          </>
        )}
      </div>
      <Grants connection={document.connection} />
      <span className="right row">
        {state.since !== undefined && !paused && <Recorded since={state.since} />}
        <TransactionControls runtime={runtime} state={state} />
        <Button size="sm" kind="ghost" icon="clock" onClick={onLibrary}>
          <span className="tools__word">Queries</span>
        </Button>
        <Button size="sm" kind="ghost" icon="format" onClick={onFormat}>
          <span className="tools__word">Format</span>
        </Button>
        <ExplainMenu off={paused || running} onExplain={onExplain} />
        <RunMode runtime={runtime} state={state} />
        {running ? (
          <Button size="sm" keys={cancelKeys} disabled={paused || state.cancelling} onClick={onCancel}>
            {state.cancelling ? 'Cancelling' : 'Cancel'}
          </Button>
        ) : (
          <Button size="sm" kind="ghost" disabled={paused} onClick={onRunAll}>
            Run all
          </Button>
        )}
        <Button size="sm" kind="primary" icon="play" keys={runKeys} disabled={paused || running} onClick={onRun}>
          Run
        </Button>
      </span>
    </div>
  )
}

/** The two ways to a plan, and what each of them does to the database. */
function ExplainMenu({ off, onExplain }: { off: boolean; onExplain(mode: ExplainMode): void }) {
  const keys = { plan: useKeys('sql.explain'), measure: useKeys('sql.measure') }
  return (
    <Menu
      classNames={{ dropdown: 'menu menu--float', item: 'mi', label: 'menu__label' }}
      position="bottom-end"
      withinPortal
      unstyled
    >
      <Menu.Target>
        <Button size="sm" kind="ghost" icon="gauge" disabled={off}>
          <span className="tools__word">Explain</span> <Icon name="chev-down" size={12} />
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>How PostgreSQL would run the statement. Nothing runs.</Menu.Label>
        <Menu.Item rightSection={<span className="kbd">{keys.plan}</span>} onClick={() => onExplain('plan')}>
          Plan
        </Menu.Item>
        <Menu.Label>It runs, where policy lets it, and is rolled back.</Menu.Label>
        <Menu.Item rightSection={<span className="kbd">{keys.measure}</span>} onClick={() => onExplain('measure')}>
          Plan, measured
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

/** The person's grants on a connection, each with its countdown. */
export function Grants({ connection }: { connection: string }) {
  const grants = useMyGrants(useNow(5_000)).filter((grant) => grant.connection === connection)
  if (grants.length === 0) return null
  return (
    <>
      <span className="vr" />
      {grants.map((grant) => (
        <GrantChip key={grant.id} what={grantWords(grant)} endsAt={grant.endsAt} />
      ))}
    </>
  )
}

export function Recorded({ since }: { since: number }) {
  const now = useNow()
  return (
    <>
      <span className="rec">
        REC <span className="num">{clock(now - since)}</span>
      </span>
      <span className="vr" />
    </>
  )
}
