import type { InspectorPort, Sensitivity } from '../../port.ts'
import type { Catalog, CatalogRelation, ColumnId, StatementAnalysis } from '../analysis.ts'
import { inherited } from '../catalog/inherited.ts'
import { viewSources } from '../catalog/view-sources.ts'
import type { SensitivityOf } from '../mask/plan.ts'
import { longestRecorded, type Show } from '../parameters.ts'
import { splitId } from '../sql/ids.ts'
import { identified } from '../sql/relations.ts'
import type { Judged, Meaning } from '../statements.ts'
import type { Names } from './harmless.ts'
import { hide, hideLiterals, type Kept, keptOf } from './hidden.ts'

/** What others may read of a statement who see no class in the clear: literals that may be values of a column in one are left out. */
interface Sight {
  names: Names
  /** It says a password, in words of its own. */
  secret: boolean
  /** Numbers in it are no values. */
  numbers: boolean
}

interface Known {
  epoch: number
  /** Undefined: all of it. */
  kept: Kept | undefined
  show: Show
}

/** Of a class, whoever asks. */
const classed = { use: 'none', derived: 'null', mask: () => null } as const

/**
 * How statements stand on the record, where people read them who see less than whoever ran them: what is typed for a column of a data
 * class is as much its value as what is read from it.
 */
export class Concealing {
  readonly #port: InspectorPort
  readonly #known = new WeakMap<Judged, Known>()
  readonly #bare: Show
  #epoch = -1
  #catalog: Catalog | undefined
  #classOf: SensitivityOf = () => undefined
  #anyClass: boolean | undefined

  constructor(port: InspectorPort) {
    this.#port = port
    this.#bare = { longest: longestRecorded, redact: (value) => port.redact(value) }
  }

  /** A statement for the record. `judged` undefined: it can't be read. */
  text(text: string, judged: Judged | undefined, meaning: Meaning | undefined): string {
    const { kept } = this.#find(text, judged, meaning)
    return this.#port.redact(kept === undefined ? text : hide(text, kept, true))
  }

  /** Its parameters for the record. */
  show(text: string, judged: Judged | undefined, meaning: Meaning | undefined): Show {
    return this.#find(text, judged, meaning).show
  }

  /** Whether what the target says of it may quote a value of a column in a class. */
  conceals(judged: Judged, meaning: Meaning | undefined): boolean {
    return meaning === undefined || this.#sight([judged], meaning) !== undefined
  }

  /** For people who may not see all of `hiddenClasses`. Undefined: there is nothing in it to hide. */
  forOthers(
    text: string,
    statements: readonly Judged[],
    meaning: Meaning | undefined,
  ): { hiddenClasses: readonly string[]; redacted: string } | undefined {
    const classes = new Set(this.#port.classesIn(text))
    const sight = meaning === undefined ? undefined : this.#look(statements, meaning, classes)
    if (sight?.secret === true) classes.add(secretLiteral)
    if (classes.size === 0) return undefined
    const redacted = this.#port.redact(hideLiterals(text, sight?.names ?? nameless, sight?.numbers))
    return { hiddenClasses: [...classes].sort(), redacted }
  }

  /** Kept on the statement while the epoch lasts: of texts that it stands for, the same literals stay. */
  #find(text: string, judged: Judged | undefined, meaning: Meaning | undefined): Known {
    const { epoch } = this.#port
    if (meaning === undefined) return { epoch, kept: undefined, show: this.#bare }
    const known = judged && this.#known.get(judged)
    if (known?.epoch === epoch) return known
    const sight = this.#sight(judged === undefined ? [] : [judged], meaning)
    const unreadable = judged === undefined && this.#any(meaning.catalog)
    const kept = sight ? keptOf(text, sight.names, sight.numbers) : unreadable ? keptOf(text, nameless) : undefined
    const show = kept === undefined ? this.#bare : { ...this.#bare, hides: (n: number) => !kept.parameters.has(n) }
    const found = { epoch, kept, show }
    if (judged !== undefined) this.#known.set(judged, found)
    return found
  }

  /** Undefined: nothing that it says can be a value of a column in a class. */
  #sight(statements: readonly Judged[], meaning: Meaning): Sight | undefined {
    const { sensitive, ...sight } = this.#look(statements, meaning, new Set())
    return sensitive ? sight : undefined
  }

  /** `sensitive`: something that it says may be. Adds the classes that it touches to `classes`. */
  #look(statements: readonly Judged[], { catalog }: Meaning, classes: Set<string>): Sight & { sensitive: boolean } {
    this.#forgetIfOld(catalog)
    const free = new Set<string>()
    const sensitive = new Set<string>()
    let secret = false
    let whole = false
    for (const { analysis } of statements) {
      secret ||= saysSecret(analysis)
      // Numbers of FETCH count rows.
      whole ||= !analysis.complete || analysis.refers?.kind === 'prepared'
      for (const id of touched(analysis)) {
        const dataClass = this.#classes(id)
        if (dataClass !== undefined) classes.add(dataClass)
        ;(dataClass === undefined ? free : sensitive).add(splitId(id)[2] ?? '')
      }
    }
    // What can't be read whole may touch anything.
    if (whole) for (const dataClass of this.#all(catalog)) classes.add(dataClass)
    const names = { free, sensitive }
    const numbers = sensitive.size === 0 && !whole
    if (!secret && sensitive.size === 0 && !(whole && this.#any(catalog))) {
      return { names, secret, numbers: false, sensitive: false }
    }
    for (const { analysis } of statements) {
      for (const table of [...analysis.tables, ...analysis.written]) {
        const { relation } = identified(catalog, table)
        if (relation !== undefined) for (const name of this.#concealedIn(relation, catalog)) sensitive.add(name)
      }
    }
    return { names, secret, numbers, sensitive: true }
  }

  /** Columns of a view that show what is in a class, or may. */
  #concealedIn(relation: CatalogRelation, catalog: Catalog): string[] {
    if (relation.kind !== 'view' && relation.kind !== 'materialized') return []
    const sources = viewSources(relation, catalog)
    return relation.columns.flatMap(({ name }, i) =>
      sources?.[i]?.every((id) => this.#classes(id) === undefined) === true ? [] : [name],
    )
  }

  #classes(id: ColumnId): string | undefined {
    const [schema = '', table = '', column = ''] = splitId(id)
    return this.#classOf(schema, table, column)?.dataClass
  }

  #any(catalog: Catalog): boolean {
    this.#forgetIfOld(catalog)
    this.#anyClass ??= !this.#all(catalog).next().done
    return this.#anyClass
  }

  *#all(catalog: Catalog): Generator<string> {
    for (const { schema, name, columns } of catalog.relations()) {
      for (const column of columns) {
        const dataClass = this.#port.classOf(schema, name, column.name)
        if (dataClass !== undefined) yield dataClass
      }
    }
  }

  #forgetIfOld(catalog: Catalog): void {
    const { epoch } = this.#port
    if (epoch === this.#epoch && catalog === this.#catalog) return
    this.#epoch = epoch
    this.#catalog = catalog
    this.#anyClass = undefined
    this.#classOf = inherited(catalog, (schema, table, column): Sensitivity | undefined => {
      const dataClass = this.#port.classOf(schema, table, column)
      const policy = { id: dataClass ?? '', reason: '' }
      return dataClass === undefined ? undefined : { ...classed, dataClass, unmask: { verdict: 'masked', policy } }
    })
  }
}

const nameless: Names = { free: new Set(), sensitive: new Set() }

/** A class of its own that nobody is shown: passwords, in statements that are about them. */
const secretLiteral = 'password in a statement'

/** Columns that it touches, and those of what it prepares or opens. */
function touched(analysis: StatementAnalysis): readonly ColumnId[] {
  const inner = analysis.effects.flatMap((effect) =>
    effect.kind === 'prepare' || effect.kind === 'declare' ? touched(effect.statement) : [],
  )
  return inner.length === 0 ? analysis.columns : [...analysis.columns, ...inner]
}

/** Statements that say passwords, or whole connection strings. */
const aboutSecrets: ReadonlySet<string> = new Set([
  'CreateRoleStmt',
  'AlterRoleStmt',
  'CreateUserMappingStmt',
  'AlterUserMappingStmt',
  'CreateForeignServerStmt',
  'AlterForeignServerStmt',
  'CreateFdwStmt',
  'AlterFdwStmt',
  'CreateForeignTableStmt',
  'CreateSubscriptionStmt',
  'AlterSubscriptionStmt',
])

/** Settings that hold one. */
const namesSecret = /(?:pass(?:word|wd|phrase)?|pwd|secret|token|key)$/

/** Functions that take passwords, keys or connection strings. */
const takesSecrets = /^(?:crypt|hmac|digest|encrypt(?:_iv)?|decrypt(?:_iv)?|pgp_.*|dblink.*|postgres_fdw_.*)$/

function saysSecret({ node, functions, effects }: StatementAnalysis): boolean {
  if (aboutSecrets.has(node)) return true
  if (functions.some((id) => takesSecrets.test(splitId(id)[1] ?? ''))) return true
  return effects.some((effect) => effect.kind === 'set' && namesSecret.test(effect.name))
}
