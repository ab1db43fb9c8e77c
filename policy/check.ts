import type { PolicyFile, PolicyProblem } from '../shared/link.ts'
import { runCases } from './cases.ts'
import { type NotifyTargets, notifyProblems } from './notify.ts'
import { loadPolicySet } from './set.ts'

/** What `sallyport policy check` and `policy test` do, without the reading of files and the printing. */

export type CheckReport =
  | { ok: true; version: string; policies: number; dataClasses: number }
  | { ok: false; problems: readonly PolicyProblem[] }

/** Loads the set and says what it holds, or everything that is wrong with it; also whom `@notify` names, where `notify` is known. */
export async function checkPolicyFolder(files: readonly PolicyFile[], notify?: NotifyTargets): Promise<CheckReport> {
  const load = await loadPolicySet(files)
  if (!load.ok) return load
  const nowhere = notify === undefined ? [] : notifyProblems(files, notify)
  if (nowhere.length > 0) return { ok: false, problems: nowhere }
  const { version, policies, dataClasses } = load.set
  return { ok: true, version, policies: policies.length, dataClasses: dataClasses.length }
}

export interface TestReport {
  ok: boolean
  passed: number
  /** Problems of the set, else one entry per case that did not hold. */
  problems: readonly PolicyProblem[]
}

/** Runs the `*.test.yaml` of a folder. A folder without any is not ok: it tested nothing. */
export async function testPolicyFolder(files: readonly PolicyFile[]): Promise<TestReport> {
  const load = await loadPolicySet(files)
  if (!load.ok) return { ok: false, passed: 0, problems: load.problems }
  if (!files.some((file) => file.path.endsWith('.test.yaml'))) {
    return { ok: false, passed: 0, problems: [{ file: '*.test.yaml', line: 1, reason: 'there is no test file' }] }
  }
  const { passed, failures } = runCases(load.set, files)
  return { ok: failures.length === 0, passed, problems: failures }
}

/** `demo.cedar:12: reason`, as editors and terminals make links of it. */
export function describeProblem(problem: PolicyProblem): string {
  return `${problem.file}:${problem.line}: ${problem.reason}`
}
