import type { Masked, PolicyRef } from '../../../shared/decision.ts'
import type { DecisionRequest, InspectorPort, Sensitivity } from '../port.ts'
import type { Catalog, CatalogRelation, Changes, StatementAnalysis } from './analysis.ts'
import { grantedNotice, maskedNotice, type Refusal, sentence, type Voice } from './annotations.ts'
import { inherited } from './catalog/inherited.ts'
import { type ColumnMask, planMasks, type SensitivityOf } from './mask/plan.ts'
import { RowMasker } from './mask/rows.ts'
import { columnsAgree, type Shape } from './mask/shape.ts'
import type { Field } from './messages.ts'
import { splitId, tableId } from './sql/ids.ts'
import type { Judged, Meaning } from './statements.ts'
import type { Letters } from './text/charsets/charset.ts'
import type { Run, Verdict } from './verdict.ts'

/** Decides for one session. Keeps per epoch and catalog whether this person has anything masked at all. */
export class Judge {
  readonly #port: InspectorPort
  readonly #voice: Voice
  #sensitivities = new Map<string, Sensitivity | undefined>()
  #sensitivity: SensitivityOf = () => undefined
  #catalog: Catalog | undefined
  #epoch = -1
  /** Whether any column is masked for this person: a relation that has one, as of a catalog. */
  #hiding: { catalog: Catalog; relation: CatalogRelation | undefined } | undefined

  constructor(port: InspectorPort, voice: Voice) {
    this.#port = port
    this.#voice = voice
  }

  /** The verdict on a statement: kept on it while the epoch lasts. */
  judge(judged: Judged, meaning: Meaning, client: Client): Verdict {
    const epoch = this.#port.epoch
    const known = judged.verdict
    const legible = client.letters !== undefined
    if (known !== undefined && known.epoch === epoch && (legible || known.kind === 'block')) return known
    const verdict = this.#decide(judged, meaning, client, epoch)
    // What is decided of an encoding that can't be read holds for that alone.
    if (legible) judged.verdict = verdict
    return verdict
  }

  #decide(judged: Judged, meaning: Meaning, client: Client, epoch: number): Verdict {
    const { analysis } = judged
    const decision = this.#port.decide(requestOf(judged))
    const missing = missingIn(analysis, meaning)
    if (decision.verdict === 'block') {
      const refusal = policyRefusal(analysis, decision)
      // What else would be said of it is said first.
      const absent =
        missing !== undefined && this.#port.decide({ ...requestOf(judged), complete: true }).verdict !== 'block'
      return { epoch, kind: 'block', refusal: absent ? { ...refusal, missing } : refusal }
    }
    this.#forgetIfOld(epoch, meaning.catalog)
    const anyMasked = this.#any(meaning)
    const plan = planMasks(analysis, this.#sensitivity, { anyMasked })
    if (!plan.ok) {
      const requestable = plan.columns.some((column) => column.requestable)
      const { policy, message, hint, columns } = plan
      const made = columns.length === 0 ? madeUnseen(analysis, meaning.uncommitted) : undefined
      if (made !== undefined) return { epoch, kind: 'block', refusal: uncommitted(made) }
      const absent = missing === undefined || columns.length > 0 ? {} : { missing }
      return { epoch, kind: 'block', refusal: { policy, message, hint, columns, requestable, ...absent } }
    }
    const moved = anyMasked ? movedFrom(analysis, meaning.uncommitted) : undefined
    if (moved !== undefined) return { epoch, kind: 'block', refusal: uncommitted(moved) }
    const masking = plan.columns.some((column) => column !== null)
    if (masking && client.letters === undefined) {
      return { epoch, kind: 'block', refusal: encodingRefusal(client.encoding, plan.masked) }
    }
    const run = this.#run(analysis, meaning, { masks: plan.columns, masked: plan.masked, anyMasked })
    if (decision.verdict === 'hold') {
      return { epoch, kind: 'hold', policy: decision.policy, approval: decision.approval, run }
    }
    const [policy] = decision.policies
    const grant = decision.grantId === undefined ? undefined : this.#port.grant(decision.grantId)
    const notices: Buffer[] = run.notice === undefined ? [] : [run.notice]
    if (grant !== undefined && policy !== undefined) {
      notices.unshift(grantedNotice(this.#voice, grant, policy, analysis.action))
    }
    const granted: Run = {
      ...run,
      outcome: grant !== undefined ? 'granted' : run.outcome,
      policy: run.masked[0]?.policy ?? policy,
      grantId: grant?.id,
      notice: notices.length === 0 ? undefined : Buffer.concat(notices),
    }
    return { epoch, kind: 'run', run: granted }
  }

  /** Whether any column of this connection is masked for this person. */
  anyMasked(meaning: Meaning): boolean {
    this.#forgetIfOld(this.#port.epoch, meaning.catalog)
    return this.#any(meaning)
  }

  #run(
    analysis: StatementAnalysis,
    meaning: Meaning,
    plan: { masks: readonly (ColumnMask | null)[]; masked: readonly Masked[]; anyMasked: boolean },
  ): Run {
    const { masks, masked, anyMasked } = plan
    const masking = masks.some((column) => column !== null)
    const sensitivity = this.#sensitivity
    let shaped: { fields: readonly Field[]; shape: Shape } | undefined
    return {
      outcome: masked.length > 0 ? 'masked' : 'allowed',
      policy: masked[0]?.policy,
      grantId: undefined,
      masked,
      recorded: {
        masks: masked.length > 0 ? [...masked] : undefined,
        tables: analysis.tables.length > 0 ? [...analysis.tables] : undefined,
      },
      columns: masks,
      notice: masked.length > 0 ? maskedNotice(this.#voice, masked) : undefined,
      scrub: anyMasked && this.#touches(analysis, meaning),
      free: !anyMasked && !masking,
      shape: (fields) => {
        if (shaped?.fields !== fields) {
          const shape = columnsAgree(fields, analysis, masks, meaning.catalog, sensitivity)
          shaped = { fields, shape }
        }
        return shaped.shape
      },
    }
  }

  /** Whether error text of this statement may quote a masked value: any column of any table in play counts. */
  #touches(analysis: StatementAnalysis, meaning: Meaning): boolean {
    if (!analysis.complete) return true
    // Without a table it goes over all of them.
    if (analysis.node === 'VacuumStmt' && analysis.tables.length + analysis.written.length === 0) return true
    for (const column of analysis.columns) if (this.#isMasked(...splitColumn(column))) return true
    for (const table of [...analysis.tables, ...analysis.written]) {
      const [schema, name = ''] = splitId(table)
      const relation = meaning.catalog.relation(schema, name, meaning.searchPath)
      if (relation === undefined || relation.hasRules || this.#hides(relation)) return true
    }
    return false
  }

  /** Whether a row of this table would show what is masked for this person; a table that is not known may. */
  hidesIn(schema: string, table: string, meaning: Meaning): boolean {
    if (!this.anyMasked(meaning)) return false
    const relation = meaning.catalog.relation(schema, table, [])
    return relation === undefined || this.#hides(relation)
  }

  #hides({ schema, name, columns }: CatalogRelation): boolean {
    return columns.some((column) => this.#isMasked(schema, name, column.name))
  }

  #isMasked(schema: string, table: string, column: string): boolean {
    return this.#sensitivity(schema, table, column)?.unmask.verdict === 'masked'
  }

  #forgetIfOld(epoch: number, catalog: Catalog): void {
    if (epoch === this.#epoch && catalog === this.#catalog) return
    if (epoch !== this.#epoch) this.#hiding = undefined
    this.#epoch = epoch
    this.#catalog = catalog
    this.#sensitivities = new Map()
    const found = inherited(catalog, (schema, table, column) => this.#port.sensitivity(schema, table, column))
    this.#sensitivity = (schema, table, column) => {
      const key = `${schema}\0${table}\0${column}`
      if (this.#sensitivities.has(key)) return this.#sensitivities.get(key)
      const one = found(schema, table, column)
      this.#sensitivities.set(key, one)
      return one
    }
  }

  #any({ catalog }: Meaning): boolean {
    this.#hiding ??= { catalog, relation: this.#find(catalog, undefined) }
    if (this.#hiding.catalog !== catalog) {
      const { catalog: before, relation } = this.#hiding
      // Relations that did not change are the same objects.
      const stands = relation !== undefined && catalog.relationByOid(relation.oid) === relation
      const found = stands ? relation : this.#find(catalog, relation === undefined ? before : undefined)
      this.#hiding = { catalog, relation: found }
    }
    return this.#hiding.relation !== undefined
  }

  /** The first relation, of those that are not in `except`, with a column that is masked for this person. */
  #find(catalog: Catalog, except: Catalog | undefined): CatalogRelation | undefined {
    for (const relation of catalog.relations()) {
      if (except?.relationByOid(relation.oid) === relation) continue
      for (const column of relation.columns) {
        // Asked of the port itself: remembering every column of the catalog would cost every session its memory.
        const found = this.#port.sensitivity(relation.schema, relation.name, column.name)
        if (found?.unmask.verdict === 'masked') return relation
      }
    }
    return undefined
  }
}

/**
 * A relation that is not there: the catalog was read since something in the statement was not known. Not in a transaction that changed
 * definitions, which may have made it.
 */
function missingIn({ missing }: StatementAnalysis, { uncommitted }: Meaning): string | undefined {
  return uncommitted === undefined ? missing : undefined
}

/** What a client reads and writes: a masked value needs letters. */
interface Client {
  readonly encoding: string
  readonly letters: Letters | undefined
}

export function splitColumn(id: string): [schema: string, table: string, column: string] {
  const [schema = '', table = '', column = ''] = splitId(id)
  return [schema, table, column]
}

function policyRefusal(
  analysis: StatementAnalysis,
  { policy, stepUp }: { policy: PolicyRef; stepUp?: true | undefined },
): Refusal {
  const doubt = analysis.complete || analysis.doubt === undefined ? '' : ` ${sentence(analysis.doubt)}`
  const message = `${sentence(policy.reason)}${doubt} Nothing ran.`
  if (stepUp) {
    const hint = 'Sign in with a second factor, and run it in a session that begins after that.'
    return { policy, message, hint, requestable: false, stepUp }
  }
  return {
    policy,
    message,
    hint: analysis.hasWhere
      ? 'Change the statement so that the policy permits it, or talk to the people who keep the policy.'
      : 'Add a WHERE clause that names the rows you mean.',
    requestable: false,
  }
}

function encodingRefusal(encoding: string, masked: readonly Masked[]): Refusal {
  return {
    policy: {
      id: 'sallyport/encoding',
      reason: `Values in the client encoding ${encoding} can't be masked.`,
    },
    message: `columns of this result are masked, and values in the client encoding ${encoding} can't be masked. Nothing ran.`,
    hint: 'SET client_encoding TO UTF8, then run it again.',
    columns: masked,
    requestable: false,
  }
}

/** The target tells of a new encoding once all of a text ran, and masks have to know it before. */
export function recodedRefusal(masked: readonly Masked[]): Refusal {
  return {
    policy: { id: 'sallyport/encoding', reason: 'The client encoding changes in the same message.' },
    message:
      'columns of this result are masked, and a statement before it in the same message changes the client encoding. Nothing ran.',
    hint: 'Change client_encoding first, and send the rest in a message of its own.',
    columns: masked,
    requestable: false,
  }
}

/**
 * The catalog's own connection sees definitions once they are committed. Words for what a statement may find changed by then: it reads a
 * table of a name that changed, by itself or through a view, or runs code, which looks names up by itself. Undefined: it finds nothing changed.
 */
function movedFrom(analysis: StatementAnalysis, changes: Changes | undefined): string | undefined {
  if (changes === undefined) return undefined
  const { columns, written, functions, effects, complete, node, outputs } = analysis
  const own = functions.find((name) => !isBuiltIn(splitId(name)))
  // What is written runs triggers, and its columns need not be named. Changes of the schema move nothing by themselves.
  const writes = written.length > 0 && !effects.some(({ kind }) => kind === 'ddl')
  // count(*) names no column, and a view of that name may show what it counts.
  const counts = outputs !== null && analysis.tables.some((name) => !isBuiltIn(splitId(name)))
  // Which code a name runs may have changed as well. CREATE TABLE runs none.
  const runs = changes === 'any' && own !== undefined && node !== 'CreateStmt'
  if (columns.length === 0 && complete && !writes && !counts && !runs) return undefined
  if (changes === 'any') return 'definitions were changed'
  if (own !== undefined) return `tables were changed that ${own} may use`
  const { fresh } = analysis
  const named = [...analysis.tables, ...written, ...columns].map(splitId)
  // A table that was made in the place of another is known.
  const found = named.find(([schema = '', name = '']) => changes.has(name) && !fresh?.has(tableId(schema, name)))?.[1]
  if (found !== undefined) return `${found} was made or changed`
  return complete ? undefined : 'tables were made or changed'
}

/** Words for a relation that the catalog does not know, where the transaction may have made it; undefined: it knows all, or that is not why. */
function madeUnseen({ missing }: StatementAnalysis, changes: Changes | undefined): string | undefined {
  if (missing === undefined || changes === undefined) return undefined
  if (changes === 'any') return 'definitions were changed'
  return changes.has(splitId(missing).at(-1) ?? '') ? `${missing} was made or changed` : undefined
}

/** A schema of people's own may have a dot in its name. */
function isBuiltIn([schema = '', _name, more]: readonly string[]): boolean {
  return more === undefined && (schema === 'pg_catalog' || schema === 'information_schema')
}

function uncommitted(moved: string): Refusal {
  return {
    policy: {
      id: 'sallyport/uncommitted-definitions',
      reason: 'Definitions changed in a transaction that is not over.',
    },
    message: `${moved} in this transaction, and before it is committed it cannot be told which columns are masked for you. Nothing ran.`,
    hint: 'COMMIT the definitions, then read or write in a transaction of its own. Tables that did not change can be read now.',
    requestable: false,
  }
}

/** Masks by row, made once for a result. */
export function maskerOf(
  shape: Shape,
  isBinary: (column: number) => boolean,
  letters: Letters | undefined,
): RowMasker | undefined {
  return shape.ok && shape.masks !== undefined ? new RowMasker(shape.masks, isBinary, letters) : undefined
}

/** What policy is asked about a statement. */
export function requestOf({ analysis, count }: Judged): DecisionRequest {
  const { action, tables, columns, functions, hasWhere, complete } = analysis
  return { action, tables, columns, functions, hasWhere, statementCount: count, complete }
}
