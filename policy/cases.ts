import { z } from 'zod'
import { type Action, isAction } from '../shared/actions.ts'
import { ConnectionKind, ConnectionName, type ConnectionRef, Environment } from '../shared/connection.ts'
import type { Approval, Grant, PolicyRef } from '../shared/decision.ts'
import type { PolicyFile, PolicyProblem } from '../shared/link.ts'
import type { Principal } from '../shared/principal.ts'
import { describeDecision, describeUnmask } from './explain.ts'
import type { RequestFacts, Surroundings } from './input.ts'
import type { PolicySet } from './set.ts'
import { parseYaml } from './yaml.ts'

/** `*.test.yaml`: what a policy set must answer, beside the policies themselves. The shape is described in docs/policy.md. */

const Facts = z.strictObject({
  tables: z.array(z.string()).optional(),
  columns: z.array(z.string()).optional(),
  functions: z.array(z.string()).optional(),
  hasWhere: z.boolean().optional(),
  statementCount: z.number().int().optional(),
  complete: z.boolean().optional(),
  command: z.string().optional(),
  path: z.string().optional(),
  direction: z.enum(['in', 'out']).optional(),
  now: z.iso.datetime().optional(),
  sourceIp: z.string().optional(),
  mfa: z.boolean().optional(),
  ticket: z.string().optional(),
})
type Facts = z.infer<typeof Facts>

const oneOrMore = <T extends z.ZodType>(item: T) => z.union([item.transform((one) => [one]), z.array(item).min(1)])

const Case = z
  .strictObject({
    name: z.string().optional(),
    as: oneOrMore(z.string()),
    on: oneOrMore(z.string()),
    do: oneOrMore(z.string()).optional(),
    unmask: oneOrMore(z.string()).optional(),
    with: Facts.default({}),
    /** Actions (or `unmask`) of a grant in force. */
    granted: z.array(z.string()).default([]),
    expect: z.enum(['allow', 'hold', 'block', 'clear', 'masked']),
    /** The `@id` that must be named. */
    policy: z.string().optional(),
    /** For hold, and for masked that can be asked for: the group that approves. */
    approve: z.string().optional(),
    /** For hold: the rule that approves by itself; `none` for people alone. */
    auto: z.string().optional(),
  })
  .refine((each) => (each.do === undefined) !== (each.unmask === undefined), 'a case has either "do" or "unmask"')

const TestFile = z.strictObject({
  people: z.record(z.string(), z.array(z.string())).default({}),
  machines: z.record(z.string(), z.array(z.string())).default({}),
  connections: z.record(
    ConnectionName,
    z.strictObject({ kind: ConnectionKind, environment: Environment, tags: z.array(z.string()).default([]) }),
  ),
  cases: z.array(Case).min(1),
})
type TestFile = z.infer<typeof TestFile>

export interface TestRun {
  passed: number
  failures: readonly PolicyProblem[]
}

/** Runs every case of the `*.test.yaml` among the files. A file that can't be read, or names what it doesn't define, is a failure. */
export function runCases(set: PolicySet, files: readonly PolicyFile[]): TestRun {
  const failures: PolicyProblem[] = []
  let passed = 0
  for (const file of files.filter((each) => each.path.endsWith('.test.yaml'))) {
    const parsed = parseYaml(file.path, file.text, TestFile)
    if (!parsed.ok) {
      failures.push(...parsed.problems)
      continue
    }
    for (const [i, one] of parsed.value.cases.entries()) {
      const wrong = runCase(set, parsed.value, one)
      if (wrong.length === 0) passed++
      for (const reason of wrong) failures.push({ file: file.path, line: parsed.lineAt(['cases', i]), reason })
    }
  }
  return { passed, failures }
}

type Case = z.infer<typeof Case>

function runCase(set: PolicySet, file: TestFile, one: Case): string[] {
  const wrong: string[] = []
  for (const who of one.as) {
    for (const where of one.on) {
      const principal = principalOf(file, who)
      const connection = connectionOf(file, where)
      if (!principal) wrong.push(`"${who}" is neither in people nor in machines`)
      if (!connection) wrong.push(`"${where}" is not in connections`)
      if (!principal || !connection) continue
      for (const what of one.do ?? one.unmask ?? []) {
        const said = ask(set, one, principal, connection, what)
        if (said !== undefined) wrong.push(`${one.name ? `${one.name}: ` : ''}${who}, ${what} on ${where}: ${said}`)
      }
    }
  }
  return wrong
}

/** Undefined: as expected. Otherwise what differs. */
function ask(
  set: PolicySet,
  one: Case,
  principal: Principal,
  connection: ConnectionRef,
  what: string,
): string | undefined {
  const { facts, context } = split(one.with)
  const grants = grantsOf(one, principal, connection, context.now)
  if (one.unmask) {
    if (!set.dataClasses.some((each) => each.name === what)) return `there is no data class ${what}`
    const unmask = set.unmask(principal, connection, what, context, grants)
    const policies = unmask.verdict === 'masked' ? [unmask.policy] : []
    const approval = unmask.verdict === 'masked' ? unmask.approval : undefined
    return differs(one, unmask.verdict, policies, approval, describeUnmask(unmask))
  }
  if (!isSessionAction(what)) return `there is no action ${what}`
  const decision = set.decide({ principal, connection, action: what, request: facts, context, grants })
  const policies = decision.verdict === 'allow' ? decision.policies : [decision.policy]
  const approval = decision.verdict === 'hold' ? decision.approval : undefined
  return differs(one, decision.verdict, policies, approval, describeDecision(decision))
}

function differs(
  one: Case,
  verdict: Case['expect'],
  policies: readonly PolicyRef[],
  approval: Approval | undefined,
  said: string,
): string | undefined {
  if (verdict !== one.expect) return `expected ${one.expect}. ${said}`
  if (one.policy !== undefined && !policies.some(({ id }) => id === one.policy))
    return `expected ${one.policy}. ${said}`
  if (one.approve !== undefined && approval?.group !== one.approve) {
    return `expected an approval by ${one.approve}. ${said}`
  }
  if (one.auto !== undefined && (approval?.auto?.id ?? 'none') !== one.auto) {
    return `expected an approval by the rule ${one.auto}. ${said}`
  }
  return undefined
}

function isSessionAction(text: string): text is Exclude<Action, 'unmask'> {
  return isAction(text) && text !== 'unmask'
}

/** A moment in working hours, so that a case without `now` says the same on every day. */
const defaultNow = '2026-01-14T10:00:00Z'

function split(facts: Facts): { facts: RequestFacts; context: Surroundings } {
  const { now = defaultNow, sourceIp = '10.0.0.1', mfa = true, ticket, ...rest } = facts
  const request = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
  return {
    facts: request,
    context: { now: Date.parse(now), sourceIp, mfa, ...(ticket === undefined ? {} : { ticket }) },
  }
}

function grantsOf(one: Case, principal: Principal, connection: ConnectionRef, now: number): Grant[] {
  if (one.granted.length === 0) return []
  const minute = 60_000
  return [
    {
      id: 'grant-of-the-case',
      principalId: principal.id,
      connection: connection.name,
      actions: one.granted,
      dataClasses: [],
      startsAt: new Date(now - minute).toISOString(),
      endsAt: new Date(now + minute).toISOString(),
      requestId: 'request-of-the-case',
      approvedBy: ['someone'],
    },
  ]
}

function principalOf(file: TestFile, name: string): Principal | undefined {
  const groups = Object.hasOwn(file.people, name) ? file.people[name] : undefined
  if (groups) return { kind: 'user', id: name, name, groups }
  const machine = Object.hasOwn(file.machines, name) ? file.machines[name] : undefined
  return machine && { kind: 'machine', id: name, name, groups: machine }
}

function connectionOf(file: TestFile, name: string): ConnectionRef | undefined {
  const entry = Object.hasOwn(file.connections, name) ? file.connections[name] : undefined
  return entry && { name, ...entry }
}
