import { Menu } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { DesktopPhase, DesktopState } from '../../shared/rpc/desktop.ts'
import type { Problem } from '../../shared/rpc/problem.ts'
import { useKeys } from '../actions/use-actions.ts'
import { Pips, Policy } from '../decisions/chip.tsx'
import { Icon } from '../decisions/icon.tsx'
import { clock, useNow } from '../decisions/time.ts'
import { approvals } from '../decisions/words.ts'
import type { Document } from '../dock/workspace.ts'
import { useNavigation } from '../frame/desk.tsx'
import { Asked } from '../requests/asked.tsx'
import { usePause, useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { Button } from '../theme/controls.tsx'
import type { DesktopRuntime, DesktopView } from './runtime.ts'
import { programWords } from './words.ts'

interface Props {
  document: Extract<Document, { kind: 'desktop' }>
  view: DesktopView
  runtime: DesktopRuntime
}

/** Where the desktop is, and what can be done with it now. */
export function Live({ document, view, runtime }: Props) {
  const { desktop, problem } = view
  const pause = usePause()
  const keys = useKeys('desktop.front')
  if (desktop === undefined) {
    return (
      <section className="live" aria-label="State">
        <div className="live__t">
          <h1>{problem === undefined ? `Opening ${document.connection}` : 'The desktop was not opened'}</h1>
          {problem !== undefined && <Failure problem={problem} />}
          {problem !== undefined && (
            <div className="live__b">
              <Button kind="primary" disabled={pause !== undefined} onClick={() => runtime.launch()}>
                Try again
              </Button>
            </div>
          )}
        </div>
      </section>
    )
  }
  const { phase, program, canFront } = desktop
  const over = phase.state === 'ended' || phase.state === 'idle'
  return (
    <section className={phase.state === 'held' ? 'live edge d-held' : 'live'} aria-label="State">
      <div className="live__t">
        <div className="live__h">
          <span className={dotOf(phase)} aria-hidden="true" />
          <h1>{titleOf(desktop)}</h1>
        </div>
        <Words desktop={desktop} runtime={runtime} />
        {problem !== undefined && <Failure problem={problem} />}
        <div className="live__b">
          {canFront && (
            <Button kind="primary" keys={keys} onClick={() => runtime.front()}>
              Bring to front
            </Button>
          )}
          {program === undefined && (
            <Button
              kind="primary"
              icon="monitor"
              disabled={pause !== undefined}
              onClick={() => runtime.launch('viewer')}
            >
              Open in this window
            </Button>
          )}
          {program !== undefined && phase.state !== 'held' && (
            <Button
              kind={over ? 'primary' : 'default'}
              icon={over ? 'play' : 'refresh'}
              disabled={pause !== undefined || phase.state === 'opening'}
              onClick={() => runtime.launch()}
            >
              {over ? 'Launch' : 'Launch again'}
            </Button>
          )}
          {program !== undefined && phase.state !== 'held' && <Programs desktop={desktop} runtime={runtime} />}
        </div>
      </div>
      <Thumb phase={phase} />
    </section>
  )
}

/** The state in a few words, for the head of the tab and for screen readers. */
export function titleOf({ phase, program, connection }: DesktopState): string {
  const name = program?.name ?? 'no program'
  switch (phase.state) {
    case 'idle':
      return program === undefined ? 'No program that shows desktops is installed' : `${connection} is closed`
    case 'opening':
      return 'Asking the gateway'
    case 'held':
      return 'Held until it is approved'
    case 'starting':
      return `Starting ${name}`
    case 'open':
      return `Live in ${name}`
    case 'ended':
      return phase.problem === undefined ? 'The session is over' : 'The session ended'
    default:
      return phase satisfies never
  }
}

function dotOf(phase: DesktopPhase): string {
  if (phase.state === 'open') return 'dot dot--open dot--lg'
  return phase.state === 'starting' || phase.state === 'opening' ? 'dot dot--paused dot--lg' : 'dot dot--lg'
}

function Words({ desktop, runtime }: { desktop: DesktopState; runtime: DesktopRuntime }) {
  const { phase, program, install, pastes } = desktop
  switch (phase.state) {
    case 'idle':
      return <p className="t2">{program === undefined ? install : 'Nothing is sent to the desktop.'}</p>
    case 'opening':
      return <p className="t2">Nothing is started before the gateway has decided.</p>
    case 'held':
      return <Held phase={phase} />
    case 'starting':
      return pastes ? (
        <Paste runtime={runtime} program={program?.name ?? 'The program'} />
      ) : (
        <p className="t2">
          {program?.name} is let in once, at an endpoint of its own, with a password that is good once.
        </p>
      )
    case 'open':
      return (
        <p className="t2">
          The desktop runs in its own window. Sallyport keeps the tunnel, the policy and the recording.
        </p>
      )
    case 'ended':
      return phase.problem === undefined ? (
        <p className="t2">What ran on the desktop may still be there. Launch it again to go on.</p>
      ) : (
        <Failure problem={phase.problem} />
      )
    default:
      return phase satisfies never
  }
}

function Failure({ problem }: { problem: Problem }) {
  return (
    <p className="live__p" role="alert">
      <span className="fg d-blocked">
        <Icon name="circle-x" size={14} />
      </span>{' '}
      {problem.message} <span className="t2">{problem.hint}</span>
    </p>
  )
}

/** The connection waits for people; nothing has been started. */
function Held({ phase }: { phase: Extract<DesktopPhase, { state: 'held' }> }) {
  const { client, queries } = useRpc()
  const go = useNavigation()
  const now = useNow()
  const [problem, setProblem] = useState<Problem | undefined>(undefined)
  const { approval, policy, requestId, expiresAt } = phase
  const request = useQuery(queries.gateway.requests.get.queryOptions({ input: { id: requestId } })).data
  const cancel = () => {
    client.gateway.requests.cancel({ id: requestId }).catch((error: unknown) => setProblem(problemOf(error)))
  }
  return (
    <>
      <p className="t2">
        Opening this desktop needs an approval, by <Policy policy={policy} />. {policy.reason} It starts by itself once
        it is approved.
      </p>
      <div className="live__w">
        <Pips had={request === undefined ? 0 : approvals(request)} needed={approval.count} />
        <Asked groups={[approval.group]} waiting />
        <span className="t2">
          expires in <span className="num">{clock(Date.parse(expiresAt) - now)}</span>
        </span>
      </div>
      {problem !== undefined && <Failure problem={problem} />}
      <div className="live__b">
        <Button onClick={cancel}>Cancel request</Button>
        <Button kind="ghost" onClick={() => go.request(requestId, 'mine')}>
          Open request
        </Button>
      </div>
    </>
  )
}

/** A program that only the person can give the password to. */
function Paste({ runtime, program }: { runtime: DesktopRuntime; program: string }) {
  const [state, setState] = useState<'idle' | 'copied' | Problem>('idle')
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(await runtime.password())
      setState('copied')
    } catch (error) {
      setState(problemOf(error))
    }
  }
  return (
    <>
      <p className="t2">{program} asks for a password. It is good once, for this session alone.</p>
      <div className="live__b">
        <Button kind="primary" icon={state === 'copied' ? 'check' : 'copy'} onClick={() => void copy()}>
          {state === 'copied' ? 'Copied' : 'Copy the password'}
        </Button>
      </div>
      {typeof state === 'object' && <Failure problem={state} />}
    </>
  )
}

/** Another program; it is remembered. */
function Programs({ desktop, runtime }: { desktop: DesktopState; runtime: DesktopRuntime }) {
  const { programs, program } = desktop
  if (programs.every((p) => p.id === program?.id)) return null
  return (
    <Menu classNames={{ dropdown: 'menu', item: 'mi' }} position="bottom-start" withinPortal unstyled>
      <Menu.Target>
        <Button kind="ghost">
          Change program
          <Icon name="chev-down" size={14} />
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {programs.map((p) => (
          // Not disabled, the one in use: the focus would have nowhere to go when the menu opens.
          <Menu.Item
            key={p.id}
            aria-current={p.id === program?.id ? 'true' : undefined}
            rightSection={p.id === program?.id && <Icon name="check" size={14} />}
            onClick={() => {
              if (p.id !== program?.id) runtime.launch(p.id)
            }}
          >
            {programWords(p)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

/** A picture of the state, not of the desktop: that is in its own window, and on record. */
function Thumb({ phase }: { phase: DesktopPhase }) {
  const open = phase.state === 'open'
  return (
    <figure className="thumb" aria-hidden="true">
      <div className={open ? 'thumb__s is-on' : 'thumb__s'}>
        <Icon name={phase.state === 'held' ? 'hourglass' : 'monitor'} size={24} />
      </div>
      <figcaption>
        {open ? <span className="rec">REC</span> : <span>Not recording</span>}
        <span className="right num">{open ? <Since since={phase.since} /> : ''}</span>
      </figcaption>
    </figure>
  )
}

function Since({ since }: { since: string }) {
  return <>{clock(useNow() - Date.parse(since))}</>
}
