import { Command, InvalidArgumentError, Option } from 'commander'
import type { AccessRequest, Connection } from '../../shared/api/models.ts'
import { caller } from '../context.ts'
import { clock, json, printable, say, table, write } from '../output.ts'

/** Just-in-time access: ask, review, take back. */
export function accessCommands(): Command[] {
  const collect = (value: string, all: string[]): string[] => [...all, value]
  return [
    new Command('request')
      .description('ask for access for a time')
      .argument('<name>')
      .requiredOption('--for <duration>', 'how long: 30m, 2h', seconds)
      .requiredOption('--reason <text>', 'why, for the people who review it')
      .option(
        '--action <action>',
        'what for; again for more. Without it: whatever has to be asked for here',
        collect,
        [],
      )
      .option('--data-class <class>', 'with --action unmask: which data; again for more', collect, [])
      .option('--json', 'the request as JSON')
      .action(request),
    new Command('requests')
      .description('requests, newest first')
      .addOption(new Option('--scope <which>').choices(['mine', 'review', 'all']).default('all'))
      .option('--pending', 'only those that wait for a decision')
      .option('--json', 'as JSON')
      .action(list),
    new Command('approve')
      .description('approve a request')
      .argument('<id>')
      .option('--reason <text>', 'for the record', '')
      .action(async (id: string, { reason }: { reason: string }) => {
        const { asked } = await import('../../main/client.ts')
        tell(await asked((await caller()).api.requests.approve({ id, reason })))
      }),
    new Command('deny')
      .description('deny a request')
      .argument('<id>')
      .requiredOption('--reason <text>', 'why, for the person who asked')
      .action(async (id: string, { reason }: { reason: string }) => {
        const { asked } = await import('../../main/client.ts')
        tell(await asked((await caller()).api.requests.deny({ id, reason })))
      }),
    new Command('revoke')
      .description('end a grant now; live sessions lose it within a second')
      .argument('<id>', 'of the grant, or of the request that it came from')
      .action(revoke),
  ]
}

function seconds(text: string): number {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(text) ?? []
  const factors: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }
  const factor = factors[unit ?? '']
  if (amount === undefined || factor === undefined) throw new InvalidArgumentError('a duration is like 30m, 2h or 1d')
  return Number(amount) * factor
}

async function request(
  name: string,
  options: { for: number; reason: string; action: string[]; dataClass: string[]; json?: true },
): Promise<void> {
  const { asked, fail } = await import('../../main/client.ts')
  const { api } = await caller()
  const actions = options.action.length > 0 ? options.action : askable(await asked(api.connections.get({ name })))
  if (actions.length === 0)
    throw fail('bad-input', `Nothing on ${name} has to be asked for.`, { hint: 'See: sallyport ls' })
  const made = await asked(
    api.requests.create({
      connection: name,
      actions,
      dataClasses: options.dataClass,
      durationSeconds: options.for,
      reason: options.reason,
    }),
  )
  if (options.json === true) {
    await json(made)
    return
  }
  await write(`${made.id}\n`)
  tell(made)
}

/** What on a connection somebody has to approve. */
function askable(connection: Connection): string[] {
  if (connection.access === 'locked') return ['connect']
  const held = connection.actions.filter((a) => a.decision.verdict === 'hold').map((a) => a.action)
  const masked = connection.dataClasses.some((c) => c.unmask.verdict === 'masked' && c.unmask.approval !== undefined)
  return masked ? [...held, 'unmask'] : held
}

async function list(options: { scope: 'mine' | 'review' | 'all'; pending?: true; json?: true }): Promise<void> {
  const { asked } = await import('../../main/client.ts')
  const { api } = await caller()
  const requests = await asked(
    api.requests.list({ scope: options.scope, ...(options.pending ? { state: 'pending' } : {}) }),
  )
  if (options.json === true) {
    await json(requests)
    return
  }
  const rows = requests.map((r) => [r.id, r.state, r.requester.id, r.connection.name, what(r), clock(r.createdAt)])
  await write(table(['ID', 'STATE', 'WHO', 'CONNECTION', 'WHAT', 'ASKED (UTC)'], rows))
}

function what(request: AccessRequest): string {
  const text = request.kind === 'once' ? (request.text ?? request.action ?? '') : request.actions.join(', ')
  const line = printable(text).replace(/\s+/g, ' ')
  return line.length > 60 ? `${line.slice(0, 59)}…` : line
}

function tell(request: AccessRequest): void {
  const { id, state, approval, expiresAt, reviews } = request
  switch (state) {
    case 'pending': {
      const given = reviews.filter((r) => r.verdict === 'approve').length
      say(
        `Request ${id} is pending: ${given} of ${approval.count} from ${approval.group}. It expires ${clock(expiresAt)} UTC.`,
      )
      return
    }
    case 'approved': {
      const until = request.grant === undefined ? '' : ` Granted until ${clock(request.grant.endsAt)} UTC.`
      say(`Request ${id} is approved.${until}`)
      return
    }
    case 'denied':
    case 'expired':
    case 'cancelled':
    case 'revoked':
      say(`Request ${id} is ${state}.`)
      return
    default:
      state satisfies never
  }
}

async function revoke(id: string): Promise<void> {
  const { asked, toProblem } = await import('../../main/client.ts')
  const { api } = await caller()
  const grant = await asked(api.grants.revoke({ id })).catch(async (error: unknown) => {
    if (toProblem(error).code !== 'not-found') throw error
    const { grant } = await asked(api.requests.get({ id }))
    if (grant === undefined) throw error
    return asked(api.grants.revoke({ id: grant.id }))
  })
  say(`Grant ${grant.id} of ${grant.principalId} on ${grant.connection} is revoked.`)
}
