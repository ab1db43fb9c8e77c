import type { AccessRequest } from '../../shared/api/models.ts'
import { Chip } from '../decisions/chip.tsx'
import { when } from '../decisions/time.ts'
import { actionName, capitalise, type Look, looks } from '../decisions/words.ts'
import { useNavigation, usePlace } from '../frame/desk.tsx'
import { usePerson } from '../rpc/context.tsx'

type Earlier = NonNullable<AccessRequest['earlier']>[number]

/** What the same person asked for before, newest first. */
export function EarlierRequests({ request }: { request: AccessRequest }) {
  const go = useNavigation()
  const me = usePerson()?.id
  const { list } = usePlace()
  const earlier = request.earlier ?? []
  const approved = earlier.filter((one) => one.state === 'approved').length
  return (
    <div className="blk">
      <div className="blk__h">
        <b>Asked before</b>
        <span className="t2">
          {earlier.length === 0
            ? `nothing that you may see, by ${request.requester.name}`
            : `by ${request.requester.name}, ${approved} of ${earlier.length} approved`}
        </span>
      </div>
      {earlier.length > 0 && (
        <table className="tb tb--earlier">
          <thead>
            <tr>
              <th className="tb__when">When</th>
              <th>What</th>
              <th>Connection</th>
              <th>Rule</th>
              <th>Outcome</th>
            </tr>
          </thead>
          <tbody>
            {earlier.map((one) => (
              <tr key={one.id}>
                <td>{when(one.createdAt)}</td>
                <td>
                  <button type="button" className="linkish" onClick={() => go.request(one.id, list)}>
                    {capitalise(one.action.split(', ').map(actionName).join(', '))}
                    {one.kind === 'grant' ? ', for a time' : ''}
                  </button>
                </td>
                <td>{one.connection}</td>
                <td className="mono">{one.policy}</td>
                <td>
                  <Chip look={earlierLook(one)} />{' '}
                  {one.by.length > 0 && <span className="t3">{deciders(one, me)}</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  )
}

/** By the names that people go by. */
export function deciders({ by, names = [] }: Pick<Earlier, 'by' | 'names'>, me: string | undefined): string {
  return by.map((id, i) => (id === me ? 'You' : byWords(names[i] ?? id))).join(', ')
}

function earlierLook({ state, kind }: Earlier): Look {
  if (state === 'pending') return looks.held
  if (state === 'approved') return kind === 'once' ? looks.approved : looks.granted
  return looks[state]
}

/** `grace`, or the rule that approved by itself. */
export function byWords(by: string): string {
  return by.startsWith('policy:') ? `rule ${by.slice('policy:'.length)}` : by
}
