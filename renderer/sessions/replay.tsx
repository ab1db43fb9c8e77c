import { useQuery } from '@tanstack/react-query'
import type { RecordingPage, Session } from '../../shared/api/models.ts'
import type { RpcClient } from '../rpc/client.ts'
import { useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { Empty, Spinner } from '../theme/controls.tsx'
import { DesktopReplay } from './desktop/desktop-replay.tsx'
import type { Recording } from './recording.ts'
import { SqlReplay } from './sql-replay.tsx'
import { TerminalReplay } from './terminal-replay.tsx'

/** A recording, replayed as its kind is, from `from` milliseconds on. */
export default function Replay({ id, from }: { id: string; from: number }) {
  const { client, queries } = useRpc()
  const session = useQuery(queries.gateway.sessions.get.queryOptions({ input: { id } }))
  const kind = session.data?.connection.kind
  const recording = useQuery({
    // A desktop's is too large to be read whole: its own player reads what it shows.
    enabled: kind !== undefined && kind !== 'rdp',
    queryKey: [...queries.gateway.recordings.key(), id, 'all'],
    queryFn: ({ signal }) => readAll(client, id, signal),
    // While it is going on there is more every few seconds.
    refetchInterval: ({ state }) => (state.data?.live ? 5_000 : false),
  })
  const error = session.error ?? recording.error
  if (error) return <Empty icon="circle-x" title="The recording could not be read" text={problemOf(error).message} />
  if (session.data?.connection.kind === 'rdp') return <DesktopReplay session={session.data} from={from} />
  if (session.data === undefined || recording.data === undefined) {
    return (
      <div className="gate__wait">
        <Spinner label="Reading the recording" />
      </div>
    )
  }
  return <Kind session={session.data} recording={recording.data} from={from} />
}

function Kind(props: { session: Session; recording: Recording; from: number }) {
  return props.session.connection.kind === 'ssh' ? <TerminalReplay {...props} /> : <SqlReplay {...props} />
}

/** Most events that are read into the page; a longer recording is cut there, and says so. */
const maxEvents = 200_000

async function readAll(client: RpcClient, id: string, signal: AbortSignal): Promise<Recording> {
  const first = await client.gateway.recordings.read({ id, after: 0, limit: 5000 }, { signal })
  const events = [...first.events]
  let page: RecordingPage = first
  while (page.next !== undefined && page.events.length > 0 && events.length < maxEvents) {
    page = await client.gateway.recordings.read({ id, after: page.next, limit: 5000 }, { signal })
    events.push(...page.events)
  }
  return { manifest: page.manifest, events, live: page.live }
}
