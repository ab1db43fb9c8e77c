import type { Action } from '../shared/actions.ts'
import type { ConnectionRef } from '../shared/connection.ts'
import type { Decision, Grant, Unmask } from '../shared/decision.ts'
import type { PolicyFile, PolicyProblem } from '../shared/link.ts'
import type { Principal } from '../shared/principal.ts'
import { type CheckedPolicy, checkPolicies } from './cedar.ts'
import {
  classificationFile,
  classOf,
  type DataClass,
  parseClassification,
  type ScannedColumns,
  scanOf,
} from './classification.ts'
import { connectionRequest, unmaskRequest } from './entities.ts'
import { type Evaluate, prepare } from './evaluate.ts'
import { givenIn, grantsInForce, type PolicyInput, type Surroundings } from './input.ts'
import type { MaskKind } from './masks.ts'
import { schemaText } from './schema.ts'
import { decisionOf, ruling, unmaskOf } from './verdict.ts'

export type { DataClass } from './classification.ts'
export type { PolicyInput, Surroundings } from './input.ts'

/** What a sensitive column is, before anybody is asked about it. */
export interface ColumnClass {
  dataClass: string
  mask: MaskKind
  others: 'null' | 'fixed'
  use: 'none' | 'lookup' | 'any'
  derived: 'null' | 'block'
}

/** A policy set in force: immutable, in memory, synchronous. Costs up to half a millisecond a decision, so callers cache. */
export interface PolicySet {
  /** Hex SHA-256 of the files that make it up. */
  readonly version: string
  readonly dataClasses: readonly DataClass[]
  readonly policies: readonly CheckedPolicy[]
  /** Never throws: what can't be evaluated is a block. */
  decide(input: PolicyInput): Decision
  /** Never throws: what can't be evaluated is masked. */
  unmask(
    principal: Principal,
    connection: ConnectionRef,
    dataClass: string,
    context: Surroundings,
    grants: readonly Grant[],
  ): Unmask
  /** Undefined: the column is in no class. */
  classify(connection: string, schema: string, table: string, column: string): ColumnClass | undefined
  /** How a column is treated whose text is searched with the classes' detectors. Undefined: it is not. */
  scanned(
    connection: string,
    schema: string,
    table: string,
    column: string,
  ): Pick<ColumnClass, 'use' | 'derived'> | undefined
  /** Some policy looks at the time. */
  readonly readsTime: boolean
  /** Whether a decision on this action may change by the passing of time alone. */
  dependsOnTime(action: Action): boolean
}

export type PolicySetLoad = { ok: true; set: PolicySet } | { ok: false; problems: PolicyProblem[] }

/**
 * Checks and loads the files of a policy folder: every `*.cedar`, `classification.yaml`, and `sallyport.cedarschema` if it is there.
 * All problems are returned, each with file and line; a set with a problem does not load.
 */
export async function loadPolicySet(files: readonly PolicyFile[]): Promise<PolicySetLoad> {
  const problems: PolicyProblem[] = []
  const classification = files.find((file) => file.path === classificationFile)
  let classes: readonly DataClass[] = []
  let scans: readonly ScannedColumns[] = []
  if (!classification) {
    const reason = 'the file is missing, so nothing would be masked; write "classes: {}" in it if that is meant'
    problems.push({ file: classificationFile, line: 1, reason })
  } else {
    const parsed = parseClassification(classification.path, classification.text)
    if (parsed.ok) {
      classes = parsed.classes
      scans = parsed.scans
    } else problems.push(...parsed.problems)
  }
  const known = classification && problems.length === 0 ? new Set(classes.map((each) => each.name)) : undefined
  const checked = checkPolicies(files, known)
  problems.push(...checked.problems, ...strangers(files))
  if (problems.length > 0) return { ok: false, problems }

  const version = await digest(files)
  const evaluate = prepare(version, checked.policies)
  return typeof evaluate === 'string'
    ? {
        ok: false,
        problems: [{ file: checked.policies[0]?.source.file ?? classificationFile, line: 1, reason: evaluate }],
      }
    : { ok: true, set: makeSet(version, checked.policies, classes, scans, evaluate) }
}

/** Whether a file of a policy folder is part of the policy (and not a test or a note beside it). */
export function isPolicyFile(path: string): boolean {
  return path.endsWith('.cedar') || path.endsWith('.cedarschema') || path === classificationFile
}

/** A misspelt classification would leave everything unmasked, so YAML that is neither it nor a test is refused. */
function strangers(files: readonly PolicyFile[]): PolicyProblem[] {
  return files
    .filter(({ path }) => /\.ya?ml$/.test(path) && path !== classificationFile && !path.endsWith('.test.yaml'))
    .map(({ path }) => ({
      file: path,
      line: 1,
      reason: `only ${classificationFile} and *.test.yaml belong in a policy folder`,
    }))
}

async function digest(files: readonly PolicyFile[]): Promise<string> {
  const parts = files
    .filter((file) => isPolicyFile(file.path))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map((file) => [file.path, file.text])
  const bytes = new TextEncoder().encode(JSON.stringify([schemaText, parts]))
  const hash = await crypto.subtle.digest('SHA-256', bytes)
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function makeSet(
  version: string,
  policies: readonly CheckedPolicy[],
  classes: readonly DataClass[],
  scans: readonly ScannedColumns[],
  evaluate: Evaluate,
): PolicySet {
  const byId = new Map(policies.map((policy) => [policy.meta.ref.id, policy]))
  return {
    version,
    dataClasses: classes,
    policies,
    readsTime: policies.some((policy) => policy.readsTime),
    decide({ principal, connection, action, request = {}, context, grants }) {
      const inForce = grantsInForce(grants, principal, connection, context.now)
      const answer = evaluate(action, connectionRequest(principal, connection, action, request, context, inForce))
      return decisionOf(ruling(answer, byId, givenIn(request, context)), action, connection.name, inForce)
    },
    unmask(principal, connection, dataClass, context, grants) {
      const inForce = grantsInForce(grants, principal, connection, context.now)
      const answer = evaluate('unmask', unmaskRequest(principal, connection, dataClass, context, inForce))
      return unmaskOf(ruling(answer, byId, givenIn({}, context, 'connection', 'environment')), dataClass, inForce)
    },
    classify(connection, schema, table, column) {
      const found = classOf(classes, connection, schema, table, column)
      if (!found) return undefined
      const { name, mask, others, use, derived } = found
      return { dataClass: name, mask, others, use, derived }
    },
    scanned(connection, schema, table, column) {
      return scanOf(scans, connection, schema, table, column)
    },
    dependsOnTime(action) {
      return policies.some((policy) => policy.readsTime && policy.mayConcern(action))
    },
  }
}
