import { setTimeout as sleep } from 'node:timers/promises'
import { Command, InvalidArgumentError } from 'commander'
import type { AuditRecord } from '../../shared/api/models.ts'
import { caller } from '../context.ts'
import { Ended, exit } from '../exit.ts'
import { clock, json, printable, say, write } from '../output.ts'
import { wholeUpTo } from './whole.ts'

const followMs = 2_000
const page = 1000

export function auditCommand(): Command {
  return new Command('audit')
    .description('what happened at the gateway, and proof that nobody changed it')
    .addCommand(
      new Command('verify')
        .description('check the chain of records and recordings; names any that was changed, dropped or reordered')
        .option('--from <time>', 'from this time on, ISO 8601', instant)
        .option('--json', 'as JSON')
        .action(verify),
    )
    .addCommand(
      new Command('tail')
        .description('the last events')
        .option('-n, --lines <n>', 'how many', wholeUpTo(100_000, 'a number from 0 to 100000'), 20)
        .option('-f, --follow', 'and those that come, until Ctrl-C')
        .option('--json', 'as JSON lines')
        .action(tail),
    )
}

function instant(text: string): string {
  const time = new Date(text)
  if (Number.isNaN(time.getTime())) throw new InvalidArgumentError('write it like 2026-01-14T10:00:00Z.')
  return time.toISOString()
}

async function verify(options: { from?: string; json?: true }): Promise<void> {
  const { asked } = await import('../../main/client.ts')
  const { verifyRecordings } = await import('../verify-recordings.ts')
  const from = options.from === undefined ? {} : { from: options.from }
  const { api } = await caller()
  const log = await asked(api.audit.verify(from))
  const recordings = await verifyRecordings(api, options.from)
  const problems = [...log.problems, ...recordings.problems]
  const ok = log.ok && recordings.problems.length === 0
  const { state, checked, elsewhere } = recordings
  if (options.json === true) await json({ ...log, ok, problems, recordings: { state, checked, elsewhere } })
  else if (ok)
    await write(
      `ok: ${log.checked} records, last ${log.lastHash ?? 'none'}${state === 'checked' ? `; ${checked} recordings` : ''}\n`,
    )
  for (const problem of problems) say(`sallyport: ${problem}`)
  if (state === 'not-yours') {
    say('The recordings were not looked at: that is for those who may replay every session. Ask an auditor.')
  }
  if (elsewhere > 0)
    say(`Recordings at other replicas: ${elsewhere}. Verify them there: sallyport login --gateway URL.`)
  if (!ok) throw new Ended(exit.failed)
}

async function tail(options: { lines: number; follow?: true; json?: true }): Promise<void> {
  const { asked } = await import('../../main/client.ts')
  const { api } = await caller()
  let after = 0
  /** Reads on to the end; keeps the last `keep`. */
  const rest = async (keep: number): Promise<AuditRecord[]> => {
    let last: AuditRecord[] = []
    for (;;) {
      const records = await asked(api.audit.list({ after, limit: page }))
      after = records.at(-1)?.seq ?? after
      last = [...last, ...records].slice(-keep)
      if (records.length < page) return last
    }
  }
  for (const record of await rest(options.lines)) await show(record, options.json === true)
  while (options.follow === true) {
    await sleep(followMs)
    for (const record of await rest(Number.MAX_SAFE_INTEGER)) await show(record, options.json === true)
  }
}

async function show(record: AuditRecord, asJson: boolean): Promise<void> {
  if (asJson) await write(`${JSON.stringify(record)}\n`)
  else await write(`${clock(record.at)}  ${record.actor}  ${record.action}  ${printable(record.subject)}\n`)
}
