import { Fragment } from 'react'
import type { Connection } from '../../shared/api/models.ts'
import type { Decision, PolicyRef } from '../../shared/decision.ts'
import type { DesktopState } from '../../shared/rpc/desktop.ts'
import { Chip, Policy } from '../decisions/chip.tsx'
import { Icon } from '../decisions/icon.tsx'
import { timeOfDay } from '../decisions/time.ts'
import { looks } from '../decisions/words.ts'
import { useNavigation } from '../frame/desk.tsx'
import { Button } from '../theme/controls.tsx'
import { type Crossing, crossingsOf } from './crossings.ts'

/** What crosses between this machine and the desktop, as policy has it; what was refused is told under its own row. */
export function Boundary({ connection, desktop }: { connection: Connection; desktop: DesktopState }) {
  const crossings = crossingsOf(connection.actions, desktop.said)
  if (crossings.length === 0) return null
  return (
    <section aria-label="What crosses the boundary">
      <div className="rdp__h">
        <b>What crosses the boundary</b>
        <span className="t2">set by policy, enforced at the gateway</span>
      </div>
      <table className="tb rdt">
        <colgroup>
          <col className="rdt__n" />
          <col />
          <col className="rdt__d" />
          <col className="rdt__p" />
        </colgroup>
        <thead>
          <tr>
            <th>Redirect</th>
            <th>You can</th>
            <th>Decision</th>
            <th>Policy</th>
          </tr>
        </thead>
        <tbody>
          {crossings.map((crossing) => (
            <Fragment key={crossing.key}>
              <Row crossing={crossing} />
              <Refused crossing={crossing} connection={connection.name} />
            </Fragment>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Row({ crossing }: { crossing: Crossing }) {
  const { decision, name, icon, can, refused } = crossing
  const policy = policyOf(decision)
  return (
    <tr className={refused.length > 0 ? 'has-ev' : undefined}>
      <td className="rdn">
        <span className="row">
          <Icon name={icon} />
          <span className="trunc">{name}</span>
        </span>
      </td>
      <td className="t2">{can}</td>
      <td>
        <Chip look={lookOf(decision)} quiet />
      </td>
      <td>{policy === undefined ? <span className="t3">default</span> : <Policy policy={policy} />}</td>
    </tr>
  )
}

function Refused({ crossing, connection }: { crossing: Crossing; connection: string }) {
  const go = useNavigation()
  const last = crossing.refused.at(-1)
  if (last === undefined) return null
  const { policy, requestable } = last.annotation
  const times = crossing.refused.length
  return (
    <tr className="ev">
      <td colSpan={4}>
        <div className="note edge d-blocked">
          <span className="fg row">
            <Icon name="shield-x" />
            <b>Blocked</b>
          </span>
          <span className="trunc" title={policy.reason}>
            {policy.reason}
          </span>
          <span className="t3 num">
            {timeOfDay(last.at)}
            {times > 1 ? `, ${times} times` : ''}
          </span>
          {requestable && (
            <Button size="sm" kind="ghost" onClick={() => go.compose({ connection, actions: [crossing.action] })}>
              Request an exception…
            </Button>
          )}
        </div>
      </td>
    </tr>
  )
}

function lookOf(decision: Decision) {
  switch (decision.verdict) {
    case 'allow':
      return decision.grantId === undefined ? looks.allowed : looks.granted
    case 'block':
      return looks.blocked
    case 'hold':
      return looks.held
    default:
      return decision satisfies never
  }
}

function policyOf(decision: Decision): PolicyRef | undefined {
  return decision.verdict === 'allow' ? decision.policies[0] : decision.policy
}
