import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { asked, fail, messageOf } from '../main/client.ts'
import { checkPolicyFolder, describeProblem, testPolicyFolder } from '../policy/check.ts'
import { describeDecision } from '../policy/explain.ts'
import type { NotifyTargets } from '../policy/notify.ts'
import { isPolicyFile } from '../policy/set.ts'
import type { PolicyFile, PolicyProblem } from '../shared/link.ts'
import { caller } from './context.ts'
import { Ended, exit } from './exit.ts'
import { json, printable, say, write } from './output.ts'

export async function checkFolder(dir: string, config?: string): Promise<void> {
  const notify = config === undefined ? undefined : await notifyTargets(config)
  const report = await checkPolicyFolder(await readFolder(dir), notify)
  if (!report.ok) throw complain(dir, report.problems)
  await write(`ok: ${report.policies} policies, ${report.dataClasses} data classes, version ${report.version}\n`)
}

export async function testFolder(dir: string): Promise<void> {
  const report = await testPolicyFolder(await readFolder(dir))
  if (!report.ok) {
    say(`${report.passed} passed, ${report.problems.length} failed`)
    throw complain(dir, report.problems)
  }
  await write(`ok: ${report.passed} passed\n`)
}

export async function explain(name: string, options: { sql: string; as?: string; json?: true }): Promise<void> {
  const who = await caller()
  const as = options.as === undefined ? {} : { as: options.as }
  const { statements } = await asked(who.api.explain({ connection: name, text: options.sql, ...as }))
  if (options.json === true) {
    await json(statements)
    return
  }
  for (const statement of statements) {
    const text = printable(options.sql.slice(statement.start, statement.end)).replace(/\s+/g, ' ')
    await write(`${text}\n  ${statement.action}: ${describeDecision(statement.decision)}\n`)
    if (statement.detail !== undefined) await write(`  ${statement.detail}\n`)
    for (const mask of statement.masks) {
      await write(`  masked: ${mask.label === '' ? mask.source : mask.label} (${mask.dataClass}, ${mask.policy.id})\n`)
    }
  }
}

/** Only what is told to whom: checks run where the gateway's secrets are not. */
const Configured = z.looseObject({
  notify: z
    .looseObject({ channels: z.array(z.looseObject({ name: z.string() })).default([]), smtp: z.unknown().optional() })
    .prefault({}),
})

async function notifyTargets(file: string): Promise<NotifyTargets> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw fail('bad-input', `${file} can't be read: ${messageOf(error)}`)
  })
  const config = Configured.safeParse(parseYaml(text))
  if (!config.success)
    throw fail('bad-input', `${file} is no gateway's configuration: ${z.prettifyError(config.error)}`)
  const { channels, smtp } = config.data.notify
  return { channels: channels.map(({ name }) => name), mail: smtp !== undefined }
}

function complain(dir: string, problems: readonly PolicyProblem[]): Ended {
  for (const problem of problems) say(describeProblem({ ...problem, file: join(dir, problem.file) }))
  return new Ended(exit.failed)
}

async function readFolder(dir: string): Promise<PolicyFile[]> {
  const names = await readdir(dir).catch((error: unknown) => {
    throw fail('bad-input', `${dir} can't be read: ${messageOf(error)}`)
  })
  const wanted = names.filter((name) => isPolicyFile(name) || name.endsWith('.test.yaml')).sort()
  return Promise.all(wanted.map(async (path) => ({ path, text: await readFile(join(dir, path), 'utf8') })))
}
