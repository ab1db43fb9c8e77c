import { type DetailedError, policyToJson, schemaToJson, validate } from '@cedar-policy/cedar-wasm/nodejs'
import { type Action, covers } from '../shared/actions.ts'
import type { PolicyFile, PolicyProblem } from '../shared/link.ts'
import { type PolicyMeta, readAnnotations } from './annotations.ts'
import { schemaFile, schemaText } from './schema.ts'
import { lineOf, lineOfText, newlinesBefore, type PolicySource, splitPolicies } from './source.ts'

/** Checks Cedar text: it parses, its annotations mean something, it is valid against the schema, its data classes exist. */

export interface CheckedPolicy {
  readonly source: PolicySource
  readonly meta: PolicyMeta
  /** A condition looks at `context.now`. */
  readonly readsTime: boolean
  /** Attributes of the context that its conditions look at. */
  readonly reads: ReadonlySet<string>
  /** The context is used other than by an attribute's name. */
  readonly wholeContext: boolean
  /** The policy's scope includes the action. */
  mayConcern(action: Action): boolean
}

/** `dataClasses`: those that classification.yaml defines; undefined when that is not known. */
export function checkPolicies(
  files: readonly PolicyFile[],
  dataClasses: ReadonlySet<string> | undefined,
): { policies: CheckedPolicy[]; problems: PolicyProblem[] } {
  const problems = files.filter((file) => file.path.endsWith('.cedarschema')).flatMap(checkSchemaFile)
  const cedarFiles = files.filter((file) => file.path.endsWith('.cedar'))
  if (cedarFiles.length === 0) {
    problems.push({ file: '*.cedar', line: 1, reason: 'there is no *.cedar file, so nothing would be permitted' })
  }
  const policies: CheckedPolicy[] = []
  const byId = new Map<string, PolicySource>()
  for (const source of cedarFiles.flatMap((file) => splitPolicies(file.path, file.text))) {
    const policy = checkOne(source, dataClasses, problems)
    if (!policy) continue
    const { id } = policy.meta.ref
    const other = byId.get(id)
    if (other) {
      const reason = `@id("${id}") is already the id of the policy at ${other.file}:${other.line}`
      problems.push({ file: source.file, line: lineOfText(source, '@id'), reason })
      continue
    }
    byId.set(id, source)
    policies.push(policy)
  }
  if (problems.length === 0) problems.push(...policies.flatMap((policy) => autoProblems(policy, policies)))
  return { policies, problems }
}

/** A rule that approves names a permit that people would approve, and reads nothing of the context but attributes by name. */
function autoProblems(
  { meta, source, wholeContext }: CheckedPolicy,
  policies: readonly CheckedPolicy[],
): PolicyProblem[] {
  if (meta.auto === undefined) return []
  const found: PolicyProblem[] = []
  const problem = (reason: string) => found.push({ file: source.file, line: lineOfText(source, '@auto'), reason })
  const target = policies.find((policy) => policy.meta.ref.id === meta.auto)
  if (target?.meta.approval === undefined) {
    problem(`@auto("${meta.auto}") names no permit with @approve of this set`)
  }
  if (wholeContext) problem('a rule with @auto reads attributes of the context by name, not the context as a whole')
  return found
}

function checkOne(
  source: PolicySource,
  dataClasses: ReadonlySet<string> | undefined,
  problems: PolicyProblem[],
): CheckedPolicy | undefined {
  const problem = (line: number, reason: string): void => {
    problems.push({ file: source.file, line, reason })
  }
  const answer = policyToJson(source.text)
  if (answer.type === 'failure') {
    for (const error of answer.errors) problem(errorLine(source, error), words(error))
    return undefined
  }
  const before = problems.length
  const { effect, annotations = {}, action } = answer.json
  const { meta, problems: wrong } = readAnnotations(effect, annotations)
  for (const { annotation, reason } of wrong) {
    problem(annotation === '' ? source.line : lineOfText(source, `@${annotation}`), reason)
  }
  const verdict = validate({
    schema: schemaText,
    policies: { staticPolicies: { [meta.ref.id]: source.text } },
    validationSettings: { mode: 'strict' },
  })
  if (verdict.type === 'failure') for (const error of verdict.errors) problem(errorLine(source, error), words(error))
  else {
    // A warning is a policy that can never apply, or text that is not what it looks like: refused as well.
    const found = verdict.validationErrors.length > 0 ? verdict.validationErrors : verdict.validationWarnings
    for (const { error } of found) problem(errorLine(source, error), words(error))
  }
  for (const name of dataClassesOf(answer.json)) {
    if (dataClasses && !dataClasses.has(name)) {
      problem(lineOfText(source, `"${name}"`), `DataClass::"${name}" is not defined in classification.yaml`)
    }
  }
  if (problems.length > before) return undefined
  const scope = action.op === 'All' ? undefined : actionNames(action)
  const { reads, uses } = contextUse(answer.json.conditions)
  return {
    source,
    meta,
    reads,
    wholeContext: uses > 0,
    readsTime: mentions(answer.json.conditions, (node) => node.attr === 'now'),
    mayConcern: (asked) => scope === undefined || scope.some((name) => covers(name, asked)),
  }
}

/** The product's schema is what counts; a copy in the policy folder must say the same. */
function checkSchemaFile(file: PolicyFile): PolicyProblem[] {
  const theirs = schemaToJson(file.text)
  if (theirs.type === 'failure') {
    return theirs.errors.map((error) => ({
      file: file.path,
      line: 1 + newlinesBefore(file.text, error.sourceLocations?.[0]?.start ?? 0),
      reason: words(error),
    }))
  }
  const ours = schemaToJson(schemaText)
  if (ours.type === 'success' && canonical(ours.json) === canonical(theirs.json)) return []
  const reason = `this is not the schema of this version of Sallyport; delete the file, or replace it by policy/${schemaFile}`
  return [{ file: file.path, line: 1, reason }]
}

function errorLine(source: PolicySource, error: DetailedError): number {
  const at = error.sourceLocations?.[0]?.start
  return at === undefined ? source.line : Math.max(source.line, lineOf(source, at))
}

/** Cedar's message without the name that it gives a policy, and with its hint. */
function words(error: DetailedError): string {
  const message = error.message
    .replace(/^failed to parse (?:policy|policies)(?: with id `[^`]*`)? from string: /, '')
    .replace(/^failed to parse schema from string: /, '')
    .replace(/^for policy `[^`]*`[,:] /, '')
  const help = error.help?.replace(/^for policy `[^`]*`, /, '')
  return help ? `${message} (${help})` : message
}

type Node = Readonly<Record<string, unknown>>

/** Whether any object within a value satisfies `test`. */
function mentions(value: unknown, test: (node: Node) => boolean): boolean {
  if (Array.isArray(value)) return value.some((each) => mentions(each, test))
  if (!isNode(value)) return false
  return test(value) || Object.values(value).some((each) => mentions(each, test))
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function dataClassesOf(policy: unknown): ReadonlySet<string> {
  const names = new Set<string>()
  mentions(policy, (node) => {
    if (node.type === 'DataClass' && typeof node.id === 'string') names.add(node.id)
    return false
  })
  return names
}

function actionNames(constraint: unknown): readonly string[] {
  const names: string[] = []
  mentions(constraint, (node) => {
    if (node.type === 'Action' && typeof node.id === 'string') names.push(node.id)
    return false
  })
  return names
}

/** Attributes of the context that conditions name, and how often they use it in another way. */
function contextUse(conditions: unknown): { reads: ReadonlySet<string>; uses: number } {
  const reads = new Set<string>()
  let uses = 0
  const isContext = (value: unknown): boolean => isNode(value) && value.Var === 'context'
  mentions(conditions, (node) => {
    if (isContext(node)) uses++
    if (isContext(node.left) && typeof node.attr === 'string') {
      reads.add(node.attr)
      // Counted when the walk gets to it.
      uses--
    }
    return false
  })
  return { reads, uses }
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    isNode(each) ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1))) : each,
  )
}
