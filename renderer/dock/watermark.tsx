import './watermark.css'
import { Chord } from '../actions/chord.tsx'
import type { ActionId } from '../actions/table.ts'
import { useBindings, useKeys } from '../actions/use-actions.ts'
import { Icon } from '../decisions/icon.tsx'
import { type Look, looks } from '../decisions/words.ts'
import { useNavigation } from '../frame/desk.tsx'
import { useRpc, useSettings } from '../rpc/context.tsx'
import { useConnections } from '../sidebar/connections.ts'
import { Button, Empty, IconButton } from '../theme/controls.tsx'

/** When no tab is open. The first times it also says what the marks mean that the gateway makes. */
export function Watermark() {
  const go = useNavigation()
  const keys = useKeys('app.palette')
  const nothing = useConnections().data?.length === 0
  return (
    <div className="gate__wait">
      <div className="wm">
        {nothing ? (
          <Empty
            icon="plug"
            title="Nothing is open to you yet"
            text="Sessions of others are under Sessions, as far as you may replay them. For a connection, tell the people who keep the policy your groups."
          >
            <Button onClick={() => go.sessionList()}>What you may replay</Button>
          </Empty>
        ) : (
          <Empty
            icon="plug"
            title="Open a connection"
            text="Choose one on the left. What you run goes through the gateway, and its decisions show where they are made."
          >
            <Button keys={keys} onClick={() => go.palette(true)}>
              Search connections
            </Button>
          </Empty>
        )}
        <Legend />
      </div>
    </div>
  )
}

const meanings: readonly { look: Look; text: string }[] = [
  { look: looks.allowed, text: 'It ran.' },
  { look: looks.masked, text: 'It ran; some values are hidden. Each says why, and how to ask.' },
  { look: looks.held, text: 'It has not run. It waits for people, and runs once they approve.' },
  { look: looks.blocked, text: 'It did not run and will not. The policy says why.' },
  { look: looks.granted, text: 'Allowed for a time. The countdown is in the status bar.' },
]
const first: readonly (readonly [ActionId, string])[] = [
  ['app.palette', 'Everything by name'],
  ['access.request', 'Ask for access'],
  ['app.shortcuts', 'All keys'],
]

function Legend() {
  const { live } = useRpc()
  const hints = useSettings()?.hints ?? []
  const bound = useBindings()
  if (hints.includes('legend')) return null
  const away = () => {
    live
      .saveSettings({ hints: [...hints, 'legend'] })
      .catch((error: unknown) => console.warn('The hint was not put away.', error))
  }
  return (
    <section className="card wm__l" aria-label="What the marks mean">
      <div className="row">
        <h2 className="h-label grow">What the marks mean</h2>
        <IconButton icon="x" size={12} label="Put this away" onClick={away} />
      </div>
      <ul>
        {meanings.map(({ look, text }) => (
          <li className={`d-${look.tone}`} key={look.word}>
            <span className="fg row row--6 wm__w">
              <Icon name={look.icon} size={14} />
              <b className="m">{look.word}</b>
            </span>
            <span className="t2">{text}</span>
          </li>
        ))}
      </ul>
      <p className="row sm t2 wm__k">
        {first.map(([id, name]) => (
          <span className="row row--6" key={id}>
            <Chord keys={bound.get(id)} />
            {name}
          </span>
        ))}
      </p>
    </section>
  )
}
