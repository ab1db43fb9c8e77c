import { Command, InvalidArgumentError, Option } from 'commander'
import type { AccessRequest, Connection, RequestState } from '../../shared/api/models.ts'
import { type Caller, caller } from '../context.ts'
import { describe } from '../describe.ts'
import { Ended, exit, exitCodeOf } from '../exit.ts'
import { clock, exact, json, say, table, write } from '../output.ts'
import { wholeUpTo } from './whole.ts'

/** Just-in-time access: ask, review, take back. */
export function accessCommands(): Command[] {
  return [...askingCommands(), listCommand(), ...decidingCommands()]
}

const collect = (value: string, all: string[]): string[] => [...all, value]

function askingCommands(): Command[] {
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
      .option('--unmask <class>', 'a data class to see in the clear; again for more', collect, [])
      .option('--data-class <class>', 'the same, with --action unmask', collect, [])
      .option('--start <time>', 'when it begins, ISO 8601 or +2h; when it is approved, if unsaid', moment)
      .option('--extend <grant>', 'a grant of yours that this goes on from')
      .option('--wait', 'until it is decided; ends with 5 when it is not approved')
      .option('--json', 'the request as JSON')
      .action(request),
    new Command('reason')
      .description('say why, for a statement of yours that waits')
      .argument('<id>')
      .argument('<text>')
      .action(async (id: string, reason: string) => {
        const { asked } = await import('../../main/client.ts')
        tell(await asked((await caller()).api.requests.explain({ id, reason })))
      }),
    new Command('remind')
      .description('ask those who decide on a request of yours once more')
      .argument('<id>')
      .action(async (id: string) => {
        const { asked } = await import('../../main/client.ts')
        const request = await asked((await caller()).api.requests.remind({ id }))
        say(`Reviewers in ${request.progress?.groups.join(' and ') ?? request.approval.group} were reminded.`)
        tell(request)
      }),
    new Command('cancel')
      .description('take back a request of yours')
      .argument('<id>')
      .action(async (id: string) => {
        const { asked } = await import('../../main/client.ts')
        tell(await asked((await caller()).api.requests.cancel({ id })))
      }),
    new Command('break-glass')
      .description('go on with a request of yours without an approval, where policy lets you; everybody is told')
      .argument('<id>')
      .requiredOption('--reason <text>', 'why, for those who review it afterwards')
      .action(async (id: string, { reason }: { reason: string }) => {
        tell(await (await caller()).confirmed(({ api }) => api.requests.breakGlass({ id, reason })))
      }),
  ]
}

const states = ['pending', 'approved', 'denied', 'expired', 'cancelled', 'revoked'] as const satisfies RequestState[]

function listCommand(): Command {
  return new Command('requests')
    .description('requests, newest first')
    .addOption(new Option('--scope <which>').choices(['mine', 'review', 'all']).default('all'))
    .option('--pending', 'only those that wait for a decision')
    .option('--id <id>', 'one, with all there is to know')
    .option('--person <id>', 'asked by')
    .option('--connection <name>')
    .addOption(new Option('--state <state>').choices(states))
    .option('--rule <id>', 'the policy that asked')
    .option('--from <time>', 'asked since; ISO 8601 or -7d', moment)
    .option('--to <time>', 'asked before', moment)
    .option('--text <text>', 'in the reason, a table, an action or an id')
    .addOption(new Option('--break-glass <which>', 'taken without an approval').choices(['all', 'open']))
    .option('--limit <n>', 'how many, with filters', wholeUpTo(200, 'a number up to 200'), 50)
    .option('--json', 'as JSON')
    .action(list)
}

function decidingCommands(): Command[] {
  return [
    new Command('approve')
      .description('approve requests')
      .argument('<id...>')
      .option('--reason <text>', 'for the record', '')
      .option('--for <duration>', 'shorter than what was asked for', seconds)
      .action((ids: string[], options: { reason: string; for?: number }) =>
        decide(ids, { verdict: 'approve', ...options }),
      ),
    new Command('deny')
      .description('deny requests')
      .argument('<id...>')
      .requiredOption('--reason <text>', 'why, for the person who asked')
      .action((ids: string[], options: { reason: string }) => decide(ids, { verdict: 'deny', ...options })),
    new Command('after-review')
      .description('review what somebody did by break-glass')
      .argument('<id>')
      .addOption(new Option('--verdict <verdict>').choices(['accepted', 'disputed']).makeOptionMandatory())
      .requiredOption('--reason <text>', 'what you found')
      .action(async (id: string, { verdict, reason }: { verdict: 'accepted' | 'disputed'; reason: string }) => {
        const { asked } = await import('../../main/client.ts')
        tell(await asked((await caller()).api.requests.afterReview({ id, verdict, reason })))
      }),
    new Command('revoke')
      .description('end a grant now, or give back your own; live sessions lose it within a second')
      .argument('<id>', 'of the grant, or of the request that it came from')
      .action(revoke),
  ]
}

interface Deciding {
  verdict: 'approve' | 'deny'
  reason: string
  for?: number
}

/** One by itself, with its own error; of several each is told, and the first that failed says how the command ends. */
async function decide(ids: string[], { verdict, reason, for: durationSeconds }: Deciding): Promise<void> {
  const { toProblem } = await import('../../main/client.ts')
  const { confirmed } = await caller()
  const one = (id: string) =>
    confirmed(({ api }) =>
      verdict === 'deny'
        ? api.requests.deny({ id, reason })
        : api.requests.approve({ id, reason, ...(durationSeconds === undefined ? {} : { durationSeconds }) }),
    )
  const [only, second] = ids
  if (only !== undefined && second === undefined) {
    tell(await one(only))
    return
  }
  let failed: number | undefined
  for (const id of ids) {
    try {
      tell(await one(id))
    } catch (error) {
      const problem = toProblem(error)
      say(`Request ${id}: ${problem.message}`)
      failed ??= exitCodeOf(problem.code)
    }
  }
  if (failed !== undefined) throw new Ended(failed)
}

/** ISO 8601, or a time from now: `+2h`, `-7d`. */
function moment(text: string): string {
  const [, sign, duration = ''] = /^([+-])(.+)$/.exec(text) ?? []
  if (sign !== undefined) return new Date(Date.now() + (sign === '+' ? 1 : -1) * seconds(duration) * 1000).toISOString()
  const at = new Date(text)
  if (Number.isNaN(at.getTime())) throw new InvalidArgumentError('a time is like 2026-01-14T10:00Z, +2h or -7d')
  return at.toISOString()
}

function seconds(text: string): number {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(text) ?? []
  const factors: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }
  const factor = factors[unit ?? '']
  if (amount === undefined || factor === undefined) throw new InvalidArgumentError('a duration is like 30m, 2h or 1d')
  return Number(amount) * factor
}

interface Asking {
  for: number
  reason: string
  action: string[]
  unmask: string[]
  dataClass: string[]
  start?: string
  extend?: string
  wait?: true
  json?: true
}

async function request(name: string, options: Asking): Promise<void> {
  const { asked, fail } = await import('../../main/client.ts')
  const { api, confirmed } = await caller()
  const dataClasses = [...options.unmask, ...options.dataClass]
  const named = options.unmask.length > 0 ? [...new Set([...options.action, 'unmask'])] : options.action
  const actions = named.length > 0 ? named : askable(await asked(api.connections.get({ name })))
  if (actions.length === 0)
    throw fail('bad-input', `Nothing on ${name} has to be asked for.`, { hint: 'See: sallyport ls' })
  const made = await confirmed((who) =>
    who.api.requests.create({
      connection: name,
      actions,
      dataClasses,
      durationSeconds: options.for,
      reason: options.reason,
      ...(options.start === undefined ? {} : { startsAt: options.start }),
      ...(options.extend === undefined ? {} : { extends: options.extend }),
    }),
  )
  if (options.json !== true) await write(`${made.id}\n`)
  if (options.json !== true || options.wait === true) tell(made)
  const ended = options.wait === true ? await decided(api, made) : made
  if (options.json === true) await json(ended)
  else if (ended !== made) tell(ended)
  if (options.wait === true && ended.state !== 'approved') throw new Ended(exit.pending)
}

const waitMs = 1_000

/** Asks until somebody has decided: a request always ends, by itself if nobody does. */
async function decided(api: Caller['api'], made: AccessRequest): Promise<AccessRequest> {
  const { asked } = await import('../../main/client.ts')
  let current = made
  while (current.state === 'pending') {
    await new Promise((done) => setTimeout(done, waitMs))
    current = await asked(api.requests.get({ id: made.id }))
  }
  return current
}

/** What on a connection somebody has to approve. */
function askable(connection: Connection): string[] {
  if (connection.access === 'locked') return ['connect']
  const held = connection.actions.filter((a) => a.decision.verdict === 'hold').map((a) => a.action)
  const masked = connection.dataClasses.some((c) => c.unmask.verdict === 'masked' && c.unmask.approval !== undefined)
  return masked ? [...held, 'unmask'] : held
}

interface Listing {
  scope: 'mine' | 'review' | 'all'
  pending?: true
  id?: string
  person?: string
  connection?: string
  state?: RequestState
  rule?: string
  from?: string
  to?: string
  text?: string
  breakGlass?: 'all' | 'open'
  limit: number
  json?: true
}

async function list({ scope, pending, id, json: asJson, limit, ...filter }: Listing): Promise<void> {
  const { asked } = await import('../../main/client.ts')
  const { api } = await caller()
  if (id !== undefined) {
    const one = await asked(api.requests.get({ id }))
    await (asJson === true ? json(one) : write(describe(one)))
    return
  }
  const requests =
    Object.keys(filter).length === 0
      ? await asked(api.requests.list({ scope, ...(pending ? { state: 'pending' } : {}) }))
      : (await asked(api.requests.history({ ...filter, ...(pending ? { state: 'pending' } : {}), limit }))).requests
  if (asJson === true) {
    await json(requests)
    return
  }
  const rows = requests.map((r) => [r.id, r.state, r.requester.id, r.connection.name, what(r), clock(r.createdAt)])
  await write(table(['ID', 'STATE', 'WHO', 'CONNECTION', 'WHAT', 'ASKED (UTC)'], rows))
}

function what(request: AccessRequest): string {
  const text = request.kind === 'once' ? (request.text ?? request.action ?? '') : request.actions.join(', ')
  const line = exact(text).replace(/\s+/g, ' ')
  return line.length > 60 ? `${line.slice(0, 59)}…` : line
}

function tell(request: AccessRequest): void {
  const { id, state, approval, expiresAt, reviews } = request
  switch (state) {
    case 'pending': {
      const given = reviews.filter((r) => r.verdict === 'approve').length
      say(
        `Request ${id} is pending${request.reasonMissing === true ? ' and needs a reason' : ''}: ${given} of ${approval.count} from ${approval.group}. It expires ${clock(expiresAt)} UTC.`,
      )
      return
    }
    case 'approved': {
      if (request.afterReview?.state === 'open') say('Somebody else has to review this afterwards.')
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
