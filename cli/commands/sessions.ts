import { Command, Option } from 'commander'
import { caller } from '../context.ts'
import { clock, json, say, table, write } from '../output.ts'

/** Sessions and their recordings. */
export function sessionCommands(): Command[] {
  return [
    new Command('sessions')
      .description('sessions that you may see, newest first')
      .option('--live', 'only those that go on')
      .option('--connection <name>', 'only on this connection')
      .option('--catalog', 'also those in which a client read what a database holds, for its own use')
      .option('--json', 'as JSON')
      .action(list),
    new Command('replay')
      .description('what was done in a session')
      .argument('<id>')
      .option('--realtime', 'terminal output at the speed at which it came')
      .action(replay),
    new Command('kill')
      .description('end a live session')
      .argument('<id>')
      .option('--reason <text>', 'for the person in it, and the record', '')
      .action(kill),
    new Command('export')
      .description('a recording as a file, on stdout')
      .argument('<id>')
      .addOption(new Option('--format <form>').choices(['asciicast', 'jsonl']).makeOptionMandatory())
      .action(exportRecording),
  ]
}

async function list(options: { live?: true; connection?: string; catalog?: true; json?: true }): Promise<void> {
  const { asked } = await import('../../main/client.ts')
  const { api } = await caller()
  const sessions = await asked(
    api.sessions.list({
      ...(options.live ? { state: 'live' } : {}),
      ...(options.catalog ? {} : { purpose: 'work' }),
      ...(options.connection === undefined ? {} : { connection: options.connection }),
    }),
  )
  if (options.json === true) {
    await json(sessions)
    return
  }
  const rows = sessions.map((s) => {
    const { allowed, masked, granted, blocked, held } = s.counts
    const counts = `${allowed + masked + granted} ran, ${blocked} blocked, ${held} held`
    return [
      s.id,
      s.state,
      s.principal.id,
      s.connection.name,
      s.purpose === 'catalog' ? `${s.door} (catalog)` : s.door,
      clock(s.startedAt),
      counts,
    ]
  })
  await write(table(['ID', 'STATE', 'WHO', 'CONNECTION', 'DOOR', 'STARTED (UTC)', 'REQUESTS'], rows))
}

async function replay(id: string, options: { realtime?: true }): Promise<void> {
  const { readRecording } = await import('../recording.ts')
  const { replayRecording } = await import('../replay.ts')
  const { manifest, events } = await readRecording((await caller()).api, id)
  await replayRecording(manifest, events, options.realtime === true)
}

async function kill(id: string, { reason }: { reason: string }): Promise<void> {
  const { asked } = await import('../../main/client.ts')
  const session = await asked((await caller()).api.sessions.kill({ id, reason }))
  say(`Session ${session.id} of ${session.principal.id} on ${session.connection.name} is ended.`)
}

async function exportRecording(id: string, { format }: { format: 'asciicast' | 'jsonl' }): Promise<void> {
  const { readRecording } = await import('../recording.ts')
  const { asciicast } = await import('../asciicast.ts')
  const { manifest, events } = await readRecording((await caller()).api, id)
  if (format === 'asciicast') {
    for (const line of asciicast(manifest, events)) await write(`${line}\n`)
    return
  }
  await write(`${JSON.stringify(manifest)}\n`)
  for (const event of events) await write(`${JSON.stringify(event)}\n`)
}
