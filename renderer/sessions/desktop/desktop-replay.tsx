import './desktop-replay.css'
import { useEffect, useMemo, useRef, useState } from 'react'
import type { Session } from '../../../shared/api/models.ts'
import type { Problem } from '../../../shared/rpc/contract.ts'
import { clock } from '../../decisions/time.ts'
import { useRpc } from '../../rpc/context.tsx'
import { problemOf } from '../../rpc/problem.ts'
import { Empty, Spinner } from '../../theme/controls.tsx'
import { usePlayhead } from '../player.ts'
import { ReplayFrame } from '../replay-frame.tsx'
import { lengthOf, type Outline } from './keyframes.ts'
import { useOutline } from './outline.ts'
import { Pictures } from './pictures.ts'
import { DesktopScreen, type Drawn } from './screen.ts'

/** A recorded desktop: the timeline, the screen as it was, and the scrubber with what was typed and clicked when. */
export function DesktopReplay({ session, from }: { session: Session; from: number }) {
  const { outline, problem } = useOutline(session.id)
  if (problem !== undefined && outline === undefined) {
    return <Empty icon="circle-x" title="The recording could not be read" text={problem.message} />
  }
  if (outline === undefined) {
    return (
      <div className="gate__wait">
        <Spinner label="Reading the recording" />
      </div>
    )
  }
  return <Loaded session={session} outline={outline} from={from} />
}

function Loaded({ session, outline, from }: { session: Session; outline: Outline; from: number }) {
  const { events, manifest, live } = outline
  const player = usePlayhead(events, lengthOf(outline), { from })
  const recording = useMemo(() => ({ manifest, events: [...events], live }), [manifest, events, live])
  return (
    <ReplayFrame session={session} recording={recording} player={player} className="rp__a--desk" input>
      <Screen session={session} outline={outline} at={player.at} />
    </ReplayFrame>
  )
}

/** As large as there is room for, with the desktop's own proportions. */
function frameSize({ width, height }: Drawn) {
  return { aspectRatio: `${width} / ${height}`, width: `min(100cqw, calc(100cqh * ${width / height}))` }
}

function Screen({ session, outline, at }: { session: Session; outline: Outline; at: number }) {
  const { client } = useRpc()
  const canvas = useRef<HTMLCanvasElement>(null)
  const screen = useRef<DesktopScreen | undefined>(undefined)
  const [drawn, setDrawn] = useState<Drawn | undefined>(undefined)
  const [problem, setProblem] = useState<Problem | undefined>(undefined)
  useEffect(() => {
    const element = canvas.current
    if (element === null) return
    const opened = new DesktopScreen(element, new Pictures(client, session.id), {
      drawn: setDrawn,
      failed: (error) => setProblem(problemOf(error)),
    })
    screen.current = opened
    return () => opened.close()
  }, [client, session.id])
  const { keyframes } = outline
  useEffect(() => screen.current?.show(keyframes, at), [keyframes, at])
  return (
    <div className="dsk">
      <div className="dsk__f" style={drawn && frameSize(drawn)}>
        <canvas
          ref={canvas}
          width={1}
          height={1}
          role="img"
          aria-label={`The screen of ${session.connection.name} at ${clock(at)}`}
        />
        {drawn?.pointer && (
          <span
            className="dsk__p"
            style={{
              left: `${(drawn.pointer.x / drawn.width) * 100}%`,
              top: `${(drawn.pointer.y / drawn.height) * 100}%`,
            }}
            aria-hidden="true"
          />
        )}
      </div>
      {keyframes.length === 0 && <p className="dsk__n">Nothing was on the screen in this session.</p>}
      {problem !== undefined && (
        <p className="dsk__n" role="alert">
          {problem.message}
        </p>
      )}
    </div>
  )
}
