import { watch } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type NotifyTargets, notifyProblems } from '../../policy/notify.ts'
import type { PolicyFile, PolicyLoad, PolicyProblem } from '../../shared/link.ts'
import type { Log, PolicyInForce } from '../services.ts'

/** The policy folder does not load; the gateway does not start with it. One `file:line: reason` a line. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError'
  readonly problems: readonly PolicyProblem[]
  constructor(problems: readonly PolicyProblem[]) {
    super(problems.map(({ file, line, reason }) => `${file}:${line}: ${reason}`).join('\n'))
    this.problems = problems
  }
}

/** The policy set in force, from a folder, reloaded when a file in it changes. */
export interface PolicySource {
  current(): PolicyInForce
  close(): void
}

export interface PolicySourceOptions {
  folder: string
  push(files: readonly PolicyFile[]): Promise<PolicyLoad>
  /** A new set is in force, the first one included. */
  loaded(policy: PolicyInForce): Promise<void>
  /** Whom `@notify` may name; absent: nobody looks. */
  notify?: NotifyTargets
  log: Log
}

/** An editor saves in several steps; one reload is enough for them. */
const settleMs = 200

/** @throws {PolicyError} when the folder has no policy or one that does not load: nothing must run open */
export async function openPolicySource({
  folder,
  push,
  loaded,
  notify,
  log,
}: PolicySourceOptions): Promise<PolicySource> {
  const load = async (): Promise<PolicyInForce> => {
    const files = await readPolicyFolder(folder)
    const refuse = (problems: readonly PolicyProblem[]) =>
      new PolicyError(problems.map((p) => ({ ...p, file: join(folder, p.file) })))
    const nowhere = notify === undefined ? [] : notifyProblems(files, notify)
    if (nowhere.length > 0) throw refuse(nowhere)
    const result = await push(files)
    if (!result.ok) throw refuse(result.problems)
    const policy = { version: result.version, files }
    await loaded(policy)
    return policy
  }

  let policy = await load()
  let timer: NodeJS.Timeout | undefined
  let reloading = Promise.resolve()

  const reload = async () => {
    try {
      const before = policy.version
      policy = await load()
      if (policy.version !== before) log.info({ version: policy.version }, 'a new policy set is in force')
    } catch (error) {
      const problems = error instanceof PolicyError ? error.problems : undefined
      log.error(
        { err: error, problems, version: policy.version },
        'the changed policy does not load; the last good set stays',
      )
    }
  }

  const watcher = watch(folder, () => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      reloading = reloading.then(reload)
    }, settleMs)
  })
  watcher.on('error', (error) =>
    log.error({ err: error }, 'the policy folder can’t be watched; changes need a restart'),
  )

  return {
    current: () => policy,
    close() {
      clearTimeout(timer)
      watcher.close()
    },
  }
}

const kinds = /\.(cedar|cedarschema|yaml)$/

async function readPolicyFolder(folder: string): Promise<PolicyFile[]> {
  let names: string[]
  try {
    names = await readdir(folder)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new PolicyError([{ file: folder, line: 1, reason: `the policy folder can't be read: ${reason}` }])
  }
  const wanted = names.filter((name) => kinds.test(name)).sort()
  if (!wanted.some((name) => name.endsWith('.cedar'))) {
    throw new PolicyError([
      { file: folder, line: 1, reason: 'no *.cedar file in the policy folder: nothing would be permitted' },
    ])
  }
  return Promise.all(wanted.map(async (path) => ({ path, text: await readFile(join(folder, path), 'utf8') })))
}
