import { useMutation } from '@tanstack/react-query'
import type { AccessRequest } from '../../shared/api/models.ts'
import { copyText } from '../decisions/copy.ts'
import { Icon } from '../decisions/icon.tsx'
import { Seen } from '../decisions/seen.tsx'
import { SqlText } from '../decisions/sql-text.tsx'
import { hourMinute, milliseconds } from '../decisions/time.ts'
import { actionName, bareName, counted } from '../decisions/words.ts'
import { usePause, useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { Button, IconButton, Spinner } from '../theme/controls.tsx'

/** The exact text that will run, with its hash; the columns that it touches are marked. */
export function Statement({ request }: { request: AccessRequest }) {
  const hash = request.textSha256
  const sql = request.connection.kind === 'postgres'
  const name = sql ? 'Statement' : 'Command'
  return (
    <>
      <div className="blk">
        <div className="blk__h">
          <b>{name}</b>
          <span className="t2">runs once, exactly as {request.textHidden ? 'written' : 'shown'}</span>
          {hash !== undefined && (
            <span className="right row xs t3 row--6" title={hash}>
              <Icon name="hash" size={12} />
              <span className="mono">
                sha256 {hash.slice(0, 4)} {hash.slice(4, 8)} … {hash.slice(-4)}
              </span>
              <IconButton icon="copy" label="Copy the hash" onClick={() => copyText(hash)} />
            </span>
          )}
        </div>
        <StatementText request={request} />
        {request.textHidden && (
          <p className="row row--6 sm t2 blk__n d-masked">
            <span className="fg">
              <Icon name="eye-off" size={14} />
            </span>
            Values of columns that are masked for you are hidden here too. What runs is what was written.
          </p>
        )}
      </div>
      <Impact request={request} />
    </>
  )
}

/** The text alone, line by line. */
export function StatementText({ request }: { request: AccessRequest }) {
  const sql = request.connection.kind === 'postgres'
  const touched = new Set((request.columns ?? []).map((column) => bareName(column).toLowerCase()))
  return (
    <section className="well well--n" aria-label={sql ? 'Statement' : 'Command'}>
      {(request.text ?? '').split('\n').map((line, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines of a fixed text
        <div className="wl" key={i}>
          <span aria-hidden="true">{i + 1}</span>
          <code>{sql ? <SqlText text={line} touched={touched} /> : <Seen text={line} />}</code>
        </div>
      ))}
    </section>
  )
}

/** What it would do: rows, tables, and where its names are looked up. */
function Impact({ request }: { request: AccessRequest }) {
  const { tables, binding, estimate, rowCount } = request
  const bound = Object.entries(binding ?? {})
  const rows = estimate !== undefined || rowCount !== undefined
  if (!rows && tables.length === 0 && bound.length === 0) return null
  const cells = [rows, tables.length > 0, bound.length > 0].filter(Boolean).length
  return (
    <div className={`imp imp--${cells}${rows ? ' imp--rows' : ''}`}>
      {rows && <Rows request={request} />}
      {tables.length > 0 && (
        <div>
          {tables.map((table) => (
            <div className="imp__t" key={table}>
              <Icon name="table" size={14} />
              <span className="trunc">{bareName(table)}</span>{' '}
              <span className="t2">{request.action ? actionName(request.action) : ''}</span>
            </div>
          ))}
          <Columns request={request} />
        </div>
      )}
      {bound.length > 0 && (
        <dl className="imp__b">
          {bound.map(([name, value]) => (
            <div className="imp__t" key={name}>
              <dt className="t2">{bindingNames[name] ?? name}</dt>
              <dd className="mono">{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  )
}

const bindingNames: Readonly<Record<string, string>> = {
  database: 'Database',
  searchPath: 'Search path',
  search_path: 'Search path',
  role: 'Role',
  user: 'Role',
  account: 'Account',
}

function Columns({ request }: { request: AccessRequest }) {
  const names = [...new Set((request.columns ?? []).map(bareName))]
  if (names.length === 0) return null
  return (
    <p className="imp__s trunc" title={names.join(', ')}>
      {counted(names.length, 'column')}: {names.join(', ')}
    </p>
  )
}

/** Only rows that are there already are counted: those that are read, changed or deleted. */
function isCountable({ action = '' }: AccessRequest): boolean {
  return ['sql:select', 'sql:update', 'sql:delete'].includes(action)
}

/** The planner's guess; on wish the count, which the gateway takes in a transaction that is rolled back. */
function Rows({ request }: { request: AccessRequest }) {
  const { client } = useRpc()
  const off = usePause() !== undefined
  const { id, estimate, rowCount, state } = request
  const count = useMutation({ mutationFn: () => client.gateway.requests.count({ id }) })
  const counted_ = rowCount ?? count.data?.rowCount
  return (
    <div className="imp__r">
      {counted_ !== undefined ? (
        <>
          <span className="imp__n num">{counted_.rows.toLocaleString('en-GB')}</span>
          <span className="imp__l">{counted_.rows === 1 ? 'row' : 'rows'} counted</span>
          <span className="imp__s">
            {hourMinute(counted_.at)} by {counted_.by}, in {milliseconds(counted_.ms)}, rolled back
          </span>
        </>
      ) : (
        <Guess estimate={estimate} />
      )}
      {state === 'pending' && request.canReview && counted_ === undefined && isCountable(request) && (
        <span className="imp__c">
          {count.isPending ? (
            <Spinner label="Counting" />
          ) : (
            <Button size="sm" disabled={off} onClick={() => count.mutate()}>
              Count exactly
            </Button>
          )}
        </span>
      )}
      {count.error && (
        <span className="err imp__s" role="alert">
          {problemOf(count.error).message}
        </span>
      )}
    </div>
  )
}

function Guess({ estimate }: Pick<AccessRequest, 'estimate'>) {
  switch (estimate?.state) {
    case 'planned':
      return (
        <>
          <span className="imp__n num">{Math.round(estimate.rows).toLocaleString('en-GB')}</span>
          <span className="imp__l">{Math.round(estimate.rows) === 1 ? 'row' : 'rows'} estimated</span>
          <span className="imp__s">planner, {hourMinute(estimate.at)}</span>
        </>
      )
    case 'pending':
      return <span className="imp__l imp__w">Estimating rows</span>
    case 'unavailable':
      return (
        <>
          <span className="imp__l imp__w">No estimate</span>
          <span className="imp__s">{estimate.reason}</span>
        </>
      )
    case undefined:
      return <span className="imp__l imp__w">No estimate</span>
    default:
      return estimate satisfies never
  }
}
