import { Command } from 'commander'
import type { Connection } from '../../shared/api/models.ts'
import { caller } from '../context.ts'
import { json, say, table, write } from '../output.ts'

export function connectionCommands(): Command[] {
  return [
    new Command('ls')
      .description('the connections you may see, and what you may do there')
      .option('--json', 'as JSON')
      .action(list),
    new Command('token')
      .description('a session token, good for minutes, as the password at a native listener')
      .argument('<name>')
      .option('--json', 'with host, port, user and database, as JSON')
      .action(token),
  ]
}

async function list(options: { json?: true }): Promise<void> {
  const { asked } = await import('../../main/client.ts')
  const connections = await asked((await caller()).api.connections.list())
  if (options.json === true) {
    await json(connections)
    return
  }
  if (connections.length === 0) {
    say('There is no connection that you may open.')
    return
  }
  const rows = connections.map((c) => [c.name, c.kind, c.environment, stateOf(c), allowed(c), c.description])
  await write(table(['NAME', 'KIND', 'ENVIRONMENT', 'STATE', 'MAY', 'DESCRIPTION'], rows))
}

function stateOf(connection: Connection): string {
  if (connection.access === 'locked') return 'ask first'
  return connection.reachable ? 'open' : 'unreachable'
}

/** The broad actions, with `?` where somebody has to approve. */
function allowed(connection: Connection): string {
  const broad = ['sql:read', 'sql:write', 'sql:ddl', 'ssh:shell', 'ssh:exec', 'ssh:sftp']
  const marks = connection.actions
    .filter((a) => broad.includes(a.action) && a.decision.verdict !== 'block')
    .map((a) => `${a.action.replace(/^[a-z]+:/, '')}${a.decision.verdict === 'hold' ? '?' : ''}`)
  return marks.length === 0 ? '–' : marks.join(' ')
}

async function token(name: string, options: { json?: true }): Promise<void> {
  const { asked } = await import('../../main/client.ts')
  const issued = await asked((await caller()).api.connections.token({ name }))
  if (options.json === true) {
    await json(issued)
    return
  }
  await write(`${issued.token}\n`)
  const database = issued.database === undefined ? '' : `, database ${issued.database}`
  say(`Password for ${issued.user} at ${issued.host}:${issued.port}${database}, until ${issued.expiresAt}.`)
}
