import { Command, Option } from 'commander'
import type { DesktopProgramId } from '../../shared/rpc/desktop.ts'
import { caller } from '../context.ts'
import { Ended, exit } from '../exit.ts'
import { say, write } from '../output.ts'
import { wholeUpTo } from './whole.ts'

const programs = [
  'mstsc',
  'windows-app',
  'xfreerdp',
  'sdl-freerdp',
  'wlfreerdp',
  'remmina',
] as const satisfies DesktopProgramId[]

export function nativeCommands(): Command[] {
  return [
    new Command('connect')
      .description('a local endpoint for native tools, until Ctrl-C')
      .argument('<name>')
      .option('--port <n>', 'on this port; 0 picks a free one', wholeUpTo(65_535, 'a port is 0 to 65535'))
      .option('--json', 'print where it is as one line of JSON')
      .action(connect),
    passing(new Command('psql').description('psql, already connected')).action(psql),
    passing(new Command('ssh').description('OpenSSH, already connected')).action(ssh),
    new Command('rdp')
      .description('a desktop in the program of this system, already signed in')
      .argument('<name>')
      .addOption(new Option('--program <id>', 'this one, and next time too').choices(programs))
      .option('--print', 'start nothing: print where it is, and a password that is good once')
      .option('--json', 'print what happens as lines of JSON')
      .action(rdp),
  ]
}

/** Everything after the connection's name belongs to the native tool. */
function passing(command: Command): Command {
  return command.argument('<name>').argument('[args...]').passThroughOptions().allowUnknownOption()
}

async function connect(name: string, options: { port?: number; json?: true }): Promise<void> {
  const { connectionOf, openEndpoint } = await import('../endpoint.ts')
  const who = await caller()
  const connection = await connectionOf(who, name)
  if (connection.kind === 'rdp') {
    const { fail } = await import('../../main/problem.ts')
    throw fail('bad-input', `${name} is a desktop, whose endpoint is for one program at a time.`, {
      hint: `Run: sallyport rdp ${name}, or with --print for a program of your own.`,
    })
  }
  const { endpoint, close } = await openEndpoint(who, connection, options.port)
  const { host, port, kind, user, database } = endpoint
  if (options.json === true) await write(`${JSON.stringify({ host, port, kind, user, database })}\n`)
  else {
    say(`${name} is at ${host}:${port} until Ctrl-C. No password is needed. For example:`)
    if (kind === 'postgres') say(`  psql "host=${host} port=${port} user=${user} dbname=${database ?? name}"`)
    else say(`  ssh -p ${port} ${user}@${host}`)
  }
  await stopped()
  await close()
}

function stopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
}

async function psql(name: string, args: string[]): Promise<void> {
  const { connectionOf, openEndpoint } = await import('../endpoint.ts')
  const { runTool } = await import('../tool.ts')
  const who = await caller()
  const connection = await connectionOf(who, name, 'postgres')
  const { endpoint, close } = await openEndpoint(who, connection, 0)
  const env = {
    PGHOST: endpoint.host,
    PGPORT: String(endpoint.port),
    PGUSER: endpoint.user,
    PGDATABASE: endpoint.database ?? name,
    // The tunnel is what encrypts; on loopback there is nothing to negotiate.
    PGSSLMODE: 'disable',
    PGGSSENCMODE: 'disable',
  }
  try {
    await end(runTool('psql', args, env, 'postgresql-client'))
  } finally {
    await close()
  }
}

async function ssh(name: string, args: string[]): Promise<void> {
  const { connectionOf, openEndpoint } = await import('../endpoint.ts')
  const { runTool } = await import('../tool.ts')
  const { knownHosts } = await import('../known-hosts.ts')
  const who = await caller()
  const connection = await connectionOf(who, name, 'ssh')
  const hosts = await knownHosts(who, connection)
  try {
    const { endpoint, close } = await openEndpoint(who, connection, 0, hosts.stream)
    try {
      const own = [
        // Nothing of this machine's SSH set-up has a part in it: no agent, no other keys, no shared connections.
        ...['-F', 'none', '-p', String(endpoint.port), '-l', endpoint.user],
        ...['-o', `UserKnownHostsFile=${hosts.file}`, '-o', 'GlobalKnownHostsFile=none'],
        ...['-o', 'StrictHostKeyChecking=yes', '-o', `HostKeyAlias=${hosts.alias}`, '-o', 'UpdateHostKeys=no'],
        ...[
          '-o',
          'PubkeyAuthentication=no',
          '-o',
          'PasswordAuthentication=no',
          '-o',
          'KbdInteractiveAuthentication=no',
        ],
        ...['-o', 'LogLevel=ERROR'],
      ]
      await end(runTool('ssh', [...own, endpoint.host, ...args], {}, 'openssh-client'))
    } finally {
      await close()
    }
  } finally {
    await hosts.close()
  }
}

async function rdp(name: string, options: { program?: DesktopProgramId; print?: true; json?: true }): Promise<void> {
  const { connectionOf } = await import('../endpoint.ts')
  const { launchDesktop, printDesktop } = await import('../desktop.ts')
  const who = await caller()
  const connection = await connectionOf(who, name, 'rdp')
  const json = options.json === true
  if (options.print === true) return printDesktop(who, connection, json)
  await launchDesktop(who, connection, { json, ...(options.program === undefined ? {} : { program: options.program }) })
}

/** The native tool's exit code is ours. */
async function end(code: Promise<number>): Promise<void> {
  const ended = await code
  if (ended !== exit.done) throw new Ended(ended)
}
