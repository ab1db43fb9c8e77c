import { useQueryClient } from '@tanstack/react-query'
import { type KeyboardEvent, useMemo, useRef, useState } from 'react'
import type { Problem } from '../../shared/rpc/problem.ts'
import { useNow } from '../decisions/time.ts'
import { useDesk, useNavigation } from '../frame/desk.tsx'
import { useMyGrants } from '../frame/grants.ts'
import { useRpc } from '../rpc/context.tsx'
import { useStore } from '../rpc/store.ts'
import { useStepUp } from '../sign-in/step-up.tsx'
import { hasMenu, type MenuRow, RowMenu } from './row-menu.tsx'
import type { Row } from './rows.ts'
import { selectFrom } from './select-from.ts'
import { type TreeActs, TreeRow } from './tree-row.tsx'

/** A tree of lines with one tab stop: arrows move, right and left unfold and fold, Enter opens. */
export function Tree({
  label,
  rows,
  onToggle,
}: {
  label: string
  rows: readonly Row[]
  onToggle(key: string, connection: boolean): void
}) {
  const [focused, setFocused] = useState<string | undefined>(undefined)
  const [menu, setMenu] = useState<{ row: MenuRow; at: { x: number; y: number } } | undefined>(undefined)
  const root = useRef<HTMLDivElement>(null)
  const go = useNavigation()
  const { workspace } = useDesk()
  const { queries } = useRpc()
  const cache = useQueryClient()
  const step = useStepUp()
  const current = useStore(workspace.state, (s) => s.documents.find((d) => d.id === s.active)?.connection)
  const stop = rows.some((row) => row.key === focused) ? focused : rows[0]?.key
  const groups = useMemo(() => toGroups(rows), [rows])

  const confirm = ({ connection, problem }: { connection: string; problem: Problem }) => {
    const key = queries.gateway.connections.schema.key({ input: { name: connection } })
    if (step.isPending) return
    step.mutate({
      lack: problem.stepUp ?? {},
      why: problem.message,
      after: () => cache.invalidateQueries({ queryKey: key }),
    })
  }
  const focus = (key: string | undefined) => {
    if (key === undefined) return
    setFocused(key)
    root.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.focus()
  }
  const toggle = (row: Row) =>
    onToggle(row.type === 'connection' ? row.connection.name : row.key, row.type === 'connection')
  const act = (row: Row) => {
    switch (row.type) {
      case 'connection':
        go.connection(row.connection)
        return
      case 'table':
        go.connection(row.connection, { fresh: true, text: selectFrom(row.table.schema, row.table.name) })
        return
      case 'group':
      case 'own':
      case 'tag':
      case 'schema':
        toggle(row)
        return
      case 'note':
        if (row.lack !== undefined) confirm(row.lack)
        return
      default:
        row satisfies never
    }
  }
  const latest = useRef({ act, toggle })
  latest.current = { act, toggle }
  const acts = useMemo(
    (): TreeActs => ({
      focus: (row) => setFocused(row.key),
      act: (row) => latest.current.act(row),
      toggle: (row) => latest.current.toggle(row),
      menu: (row, at) => {
        if (hasMenu(row)) setMenu({ row, at })
      },
    }),
    [],
  )
  // The one that ends last is what counts for the connection.
  const grants = new Map(useMyGrants(useNow(5_000)).map((grant) => [grant.connection, grant.endsAt]))
  const press = (event: KeyboardEvent) => {
    const at = rows.findIndex((row) => row.key === stop)
    const row = rows[at]
    if (row === undefined || event.target instanceof HTMLButtonElement) return
    if (event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) {
      if (!hasMenu(row)) return
      const box = event.target instanceof HTMLElement ? event.target.getBoundingClientRect() : undefined
      event.preventDefault()
      // The menu would hear the same key once it is there, and close.
      event.stopPropagation()
      setMenu({ row, at: { x: (box?.left ?? 0) + 24, y: box?.bottom ?? 0 } })
      return
    }
    const open = 'open' in row ? row.open : undefined
    const moves: Record<string, () => void> = {
      ArrowDown: () => focus(rows[at + 1]?.key),
      ArrowUp: () => focus(rows[at - 1]?.key),
      Home: () => focus(rows[0]?.key),
      End: () => focus(rows.at(-1)?.key),
      ArrowRight: () => (open === false ? toggle(row) : open === true ? focus(rows[at + 1]?.key) : undefined),
      ArrowLeft: () =>
        open === true ? toggle(row) : focus(rows.slice(0, at).findLast((above) => above.level < row.level)?.key),
      Enter: () => act(row),
      ' ': () => act(row),
    }
    const move = moves[event.key]
    if (move === undefined) return
    event.preventDefault()
    move()
  }
  return (
    <div role="tree" aria-label={label} ref={root} onKeyDown={press}>
      {groups.map((group) => (
        // biome-ignore lint/a11y/useSemanticElements: see above
        <div className="grp" role="group" data-env={group.env} key={group.rows[0]?.key}>
          {group.env && group.rows.length > 1 && <span className="grp__rail" aria-hidden="true" />}
          {group.rows.map((row) => (
            <TreeRow
              key={row.key}
              row={row}
              tabStop={row.key === stop}
              selected={row.type === 'connection' && row.connection.name === current}
              grantEnds={row.type === 'connection' ? grants.get(row.connection.name) : undefined}
              acts={acts}
            />
          ))}
        </div>
      ))}
      {menu && <RowMenu {...menu} onClose={() => setMenu(undefined)} />}
    </div>
  )
}

const dataEnv = { production: 'prod', staging: 'staging', development: 'dev' } as const

function toGroups(rows: readonly Row[]): { env: string | undefined; rows: Row[] }[] {
  const groups: { env: string | undefined; rows: Row[] }[] = []
  for (const row of rows) {
    if (row.level === 1) groups.push({ env: row.type === 'group' ? dataEnv[row.environment] : undefined, rows: [row] })
    else groups.at(-1)?.rows.push(row)
  }
  return groups
}
