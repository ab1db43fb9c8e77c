import { redactor } from '../policy/detectors.ts'
import { grantsInForce } from '../policy/input.ts'
import { byteMaskFor } from '../policy/mask-bytes.ts'
import { type KeyedHash, maskFor } from '../policy/masks.ts'
import type { DataClass, PolicySet, Surroundings } from '../policy/set.ts'
import type { Decision, Grant, Unmask } from '../shared/decision.ts'
import type { SessionSpec } from '../shared/link.ts'
import type { Answers } from './answers.ts'
import type { DecisionRequest, Sensitivity, TextMask } from './inspect/port.ts'
import { type Policies, policyNotLoaded } from './policies.ts'
import { textMaskFor } from './redaction.ts'

/** What deciding needs of a session's spec: no target, no credential. */
export type Subject = Pick<SessionSpec, 'principal' | 'connection' | 'context' | 'grants'>

interface Known {
  answers: Answers
  /** The grants that the answers are for. */
  inForce: readonly Grant[]
}

/** A key longer than this is a statement or command that hardly comes again; it is not worth its memory. */
const longestKey = 8_192

/**
 * The decisions of one session: the policy set in force, over this principal, connection and grants. Cedar takes a good part of
 * a millisecond, so every answer is kept until the epoch changes, and shared with the sessions for which it would be the same.
 */
export class SessionPolicy {
  readonly #subject: Subject
  readonly #policies: Policies
  readonly #hash: KeyedHash
  readonly #clock: () => number
  #grants: readonly Grant[]
  #epoch = 1
  #seenRevision: number
  #second = 0
  #boundary: number
  #known: Known | undefined

  constructor(subject: Subject, policies: Policies, hash: KeyedHash, clock: () => number = Date.now) {
    this.#subject = subject
    this.#policies = policies
    this.#hash = hash
    this.#clock = clock
    this.#grants = subject.grants
    this.#seenRevision = policies.revision
    this.#boundary = nextBoundary(this.#grants, clock())
  }

  /** See InspectorPort.epoch. Reading it notices what has changed since. */
  get epoch(): number {
    const now = this.#clock()
    if (this.#policies.revision !== this.#seenRevision) {
      this.#seenRevision = this.#policies.revision
      this.#changed()
    }
    if (now >= this.#boundary) {
      this.#boundary = nextBoundary(this.#grants, now)
      this.#changed()
    }
    const second = Math.floor(now / 1000)
    if (second !== this.#second) {
      this.#second = second
      if (this.#timeMatters()) this.#changed()
    }
    return this.#epoch
  }

  /** When the next grant begins or ends, in milliseconds since 1970; Infinity when none will. */
  get nextChange(): number {
    return nextBoundary(this.#grants, this.#clock())
  }

  setGrants(grants: readonly Grant[]): void {
    this.#grants = grants
    this.#boundary = nextBoundary(grants, this.#clock())
    this.#changed()
  }

  decide(request: DecisionRequest): Decision {
    const set = this.#current()
    const { action, ...facts } = request
    if (!set) return { verdict: 'block', policy: policyNotLoaded }
    if (action === 'unmask') {
      const reason = 'Whether a value is shown is decided per data class, not as a request of its own.'
      return { verdict: 'block', policy: { id: 'policy-error', reason } }
    }
    const key = keyOf(request)
    const { answers, inForce } = this.#standing
    const { decisions } = answers
    const known = decisions.get(key)
    if (known) return known
    const { principal, connection } = this.#subject
    const context = this.#context()
    const ask = (mfa: boolean) =>
      set.decide({ principal, connection, action, request: facts, context: { ...context, mfa }, grants: inForce })
    const bare = ask(context.mfa)
    const liftable = bare.verdict === 'block' && principal.kind === 'user' && !context.mfa
    const decision: Decision = liftable && ask(true).verdict !== 'block' ? { ...bare, stepUp: true } : bare
    return key.length > longestKey ? decision : decisions.set(key, decision)
  }

  sensitivity(schema: string, table: string, column: string): Sensitivity | undefined {
    const set = this.#current()
    const key = `${schema}\0${table}\0${column}`
    const { columns } = this.#standing.answers
    const known = columns.get(key)
    if (known) return known.sensitivity
    const classed = this.#classed(set, schema, table, column)
    // Who may see the class of a column may still not see what stands in its text.
    const scanned = classed?.unmask.verdict === 'masked' ? undefined : this.#scanned(set, schema, table, column)
    const sensitivity = scanned ?? classed
    columns.set(key, { sensitivity })
    return sensitivity
  }

  #classed(set: PolicySet | undefined, schema: string, table: string, column: string): Sensitivity | undefined {
    const found = set?.classify(this.#subject.connection.name, schema, table, column)
    const maskBytes = found && byteMaskFor(found.mask)
    return (
      found && {
        dataClass: found.dataClass,
        unmask: this.#unmask(set, found.dataClass),
        use: found.use,
        derived: found.derived,
        mask: maskFor(found.mask, this.#hash),
        others: found.others,
        ...(maskBytes === undefined ? {} : { maskBytes }),
      }
    )
  }

  #scanned(set: PolicySet | undefined, schema: string, table: string, column: string): Sensitivity | undefined {
    const found = set?.scanned(this.#subject.connection.name, schema, table, column)
    if (!found) return undefined
    const masks = this.#textMasks(set)
    const [first] = masks
    if (!first) return undefined
    const known = this.#standing.answers
    known.scan ??= redactor(masks)
    const { use, derived } = found
    return { dataClass: first.dataClass, unmask: first.unmask, use, derived, mask: known.scan, scanned: masks }
  }

  /** The data class of a column, whether or not it is masked for this principal. */
  classOf(schema: string, table: string, column: string): string | undefined {
    const set = this.#current()
    const key = `${schema}\0${table}\0${column}`
    const { classes } = this.#standing.answers
    const known = classes.get(key)
    if (known) return known.dataClass
    const dataClass = set?.classify(this.#subject.connection.name, schema, table, column)?.dataClass
    classes.set(key, { dataClass })
    return dataClass
  }

  /** Data classes of which something is found in a text, whether or not they are masked for this principal. */
  classesIn(text: string): readonly string[] {
    const classes = this.#current()?.dataClasses ?? []
    return classes.flatMap(({ name, detector }) => (detector && detector.find(text).length > 0 ? [name] : []))
  }

  unmask(dataClass: string): Unmask {
    return this.#unmask(this.#current(), dataClass)
  }

  textMasks(): readonly TextMask[] {
    return this.#textMasks(this.#current())
  }

  /** What masks text streams for the record, whoever asks. The very array of `textMasks` where those are all that there are. */
  recordMasks(): readonly TextMask[] {
    const shown = this.textMasks()
    const classes = this.#current()?.dataClasses.filter(({ detector }) => detector !== undefined) ?? []
    if (shown.length === classes.length) return shown
    const known = this.#standing.answers
    known.recordMasks ??= classes.flatMap((dataClass) =>
      this.#maskOf(dataClass, { verdict: 'masked', policy: recorded }),
    )
    return known.recordMasks
  }

  #textMasks(set: PolicySet | undefined): readonly TextMask[] {
    const known = this.#standing.answers
    known.textMasks ??= (set?.dataClasses ?? []).flatMap((dataClass) => this.#textMask(set, dataClass))
    return known.textMasks
  }

  /** Masks every sensitive value, whoever asks: what is recorded may be read by others. */
  redact(text: string): string {
    return this.#policies.redactor(this.#hash)(text)
  }

  grant(id: string): Grant | undefined {
    return this.#grants.find((grant) => grant.id === id)
  }

  #current(): PolicySet | undefined {
    // Reading the epoch drops what is outdated.
    void this.epoch
    return this.#policies.set
  }

  #changed(): void {
    this.#epoch++
    this.#known = undefined
  }

  /**
   * After `#current`. What is kept for the grants in force is answered by these very grants: one that begins a moment later would
   * otherwise be in an answer that is good without it.
   */
  get #standing(): Known {
    if (this.#known !== undefined) return this.#known
    const { principal, connection, context } = this.#subject
    const inForce = grantsInForce(this.#grants, principal, connection, this.#clock())
    const second = this.#timeMatters() ? this.#second : 0
    const key = JSON.stringify([principal, connection, context, inForce])
    this.#known = { inForce, answers: this.#policies.answers(key, second, this.#hash) }
    return this.#known
  }

  #timeMatters(): boolean {
    return this.#policies.set?.readsTime === true
  }

  #context(): Surroundings {
    return { ...this.#subject.context, now: this.#clock() }
  }

  #unmask(set: PolicySet | undefined, dataClass: string): Unmask {
    const { answers, inForce } = this.#standing
    const { unmasks } = answers
    const known = unmasks.get(dataClass)
    if (known) return known
    const { principal, connection } = this.#subject
    const unmask: Unmask = set
      ? set.unmask(principal, connection, dataClass, this.#context(), inForce)
      : { verdict: 'masked', policy: policyNotLoaded }
    unmasks.set(dataClass, unmask)
    return unmask
  }

  #textMask(set: PolicySet | undefined, dataClass: DataClass): TextMask[] {
    if (!dataClass.detector) return []
    const unmask = this.#unmask(set, dataClass.name)
    return unmask.verdict === 'clear' ? [] : this.#maskOf(dataClass, unmask)
  }

  #maskOf(dataClass: DataClass, unmask: TextMask['unmask']): TextMask[] {
    const { detector, name } = dataClass
    if (!detector) return []
    const mask = textMaskFor(dataClass, this.#hash)
    return [
      {
        dataClass: name,
        unmask,
        find: detector.find,
        mask,
        ...(detector.shapes === undefined ? {} : { shapes: detector.shapes }),
      },
    ]
  }
}

/** The policy of masks that are nobody's in particular. */
const recorded = { id: 'sallyport/recorded', reason: 'What is recorded is masked for everybody.' }

function keyOf(request: DecisionRequest): string {
  const { action, tables, columns, functions, hasWhere, statementCount, command, path, direction, complete } = request
  return JSON.stringify([
    action,
    tables,
    columns,
    functions,
    hasWhere,
    statementCount,
    command,
    path,
    direction,
    complete,
  ])
}

/** The first start or end of a grant after `now`. */
function nextBoundary(grants: readonly Grant[], now: number): number {
  let next = Number.POSITIVE_INFINITY
  for (const grant of grants) {
    for (const time of [Date.parse(grant.startsAt), Date.parse(grant.endsAt)])
      if (time > now && time < next) next = time
  }
  return next
}
