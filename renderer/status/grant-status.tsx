import { Menu } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import type { Grant } from '../../shared/decision.ts'
import { useKeys } from '../actions/use-actions.ts'
import { Drawn } from '../decisions/drawn.tsx'
import { Icon } from '../decisions/icon.tsx'
import { clock, hourMinute, useNow } from '../decisions/time.ts'
import { capitalise } from '../decisions/words.ts'
import { useDesk, useNavigation } from '../frame/desk.tsx'
import {
  askAgain,
  type EndedGrant,
  extension,
  grantWords,
  lastMinuteMs,
  nearEndMs,
  useEndedGrants,
  useMyGrants,
} from '../frame/grants.ts'
import { usePause, useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'

/** The grants on a connection: each counts down, can be extended and given back, and says when it has ended. */
export function GrantStatus({ connection }: { connection: string }) {
  const now = useNow()
  const active = useMyGrants(now)
  const ended = useEndedGrants(active, now)
  return (
    <>
      {active
        .filter((grant) => grant.connection === connection)
        .map((grant) => (
          <Active grant={grant} now={now} key={grant.id} />
        ))}
      {ended
        .filter(({ grant }) => grant.connection === connection)
        .map((gone) => (
          <Ended gone={gone} key={gone.grant.id} />
        ))}
    </>
  )
}

function Active({ grant, now }: { grant: Grant; now: number }) {
  const { client } = useRpc()
  const { notices } = useDesk()
  const go = useNavigation()
  const off = usePause() !== undefined
  const keys = useKeys('access.extend')
  const giveBack = useMutation({
    mutationFn: () => client.gateway.grants.giveBack({ id: grant.id }),
    onError: (error) =>
      notices.show({ id: `grant-${grant.id}`, content: <p className="toast err">{problemOf(error).message}</p> }),
  })
  const left = Date.parse(grant.endsAt) - now
  const words = capitalise(grantWords(grant))
  const extend = () => go.compose(extension(grant))
  return (
    <span className={left < lastMinuteMs ? 'status__g d-granted is-last' : 'status__g d-granted'}>
      <Menu classNames={{ dropdown: 'menu', item: 'mi' }} position="top-start" withinPortal unstyled>
        <Menu.Target>
          <button
            type="button"
            className="status__i status__b"
            aria-label={`${words}, granted on ${grant.connection}, until ${hourMinute(grant.endsAt)}`}
          >
            <Icon name="key" size={14} />
            {words} <Drawn className="num" text={clock(left)} />
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          <p className="menu__head sm t2">
            {words} on {grant.connection}, until {hourMinute(grant.endsAt)}
            <br />
            <span className="t3">
              {grant.approvedBy.length > 0 ? `Approved by ${grant.approvedBy.join(' and ')}` : 'Granted by policy'}
            </span>
          </p>
          {/* First one that is never disabled: the focus would have nowhere to go when the menu opens. */}
          <Menu.Item onClick={() => go.request(grant.requestId, 'mine')}>Open the request</Menu.Item>
          <Menu.Item disabled={off} onClick={extend} rightSection={keys && <kbd className="kbd">{keys}</kbd>}>
            Extend…
          </Menu.Item>
          <Menu.Item disabled={off || giveBack.isPending} onClick={() => giveBack.mutate()}>
            Give back now
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {left < nearEndMs && (
        <button type="button" className="status__x" disabled={off} onClick={extend}>
          Extend
        </button>
      )}
    </span>
  )
}

function Ended({ gone }: { gone: EndedGrant }) {
  const go = useNavigation()
  const { grant, endedAt } = gone
  return (
    <span className="status__g">
      <span className="status__i" title={`${capitalise(grantWords(grant))} on ${grant.connection}`}>
        <Icon name="clock" size={14} />
        Ended <span className="num">{hourMinute(endedAt)}</span>
      </span>
      <button type="button" className="status__x" onClick={() => go.compose(askAgain(grant))}>
        Ask again
      </button>
    </span>
  )
}
