import type { Action } from '../../../shared/actions.ts'

/**
 * What classification and lineage say of a statement, and what they need of the target's catalog.
 * `classify.ts` and `lineage.ts` produce it, `session.ts` acts on it, `catalog/` fills the catalog.
 */

export interface CatalogColumn {
  name: string
  /** 1-based pg_attribute.attnum; 0: a transaction that is not over added it. */
  attnum: number
  typeOid: number
  /** pg_type.typname: `text`, `varchar`, `int4`. Empty: that can't be told. */
  typeName: string
  /** It has a collation that is neither its database's nor that of names. */
  collated?: true
  /** The server computes it: from these columns of the same relation, if any. */
  generatedFrom?: readonly string[]
}

export interface CatalogRelation {
  oid: number
  schema: string
  name: string
  kind: 'table' | 'view' | 'materialized' | 'foreign' | 'sequence' | 'partitioned'
  columns: readonly CatalogColumn[]
  /** pg_get_viewdef for views and materialized views, read with an empty search_path so that every name is qualified. */
  definition?: string
  /** Partitions and inheritance children name their parents: a child's column is as sensitive as the parent's. */
  parents: readonly number[]
  /** Has rules (other than a view's own), triggers, or defaults, checks or generated columns that call people's own code. */
  hasRules: boolean
  /** Foreign keys of others that refer to it: what happens to their rows when one of its own goes or changes. */
  referencedBy?: readonly ForeignKey[]
  /** Functions of its triggers, by oid, where these are all the code that a change of it runs. */
  triggers?: readonly number[]
  /** Of these, those that may run when the transaction ends. */
  deferrable?: readonly number[]
  /** Functions that a change of it calls beside its triggers, by oid, in defaults, checks, indexes, its columns' domains: those to be judged. */
  calls?: readonly number[]
  /** Of a partitioned table: columns that say which partition a row is in. */
  partitionKey?: readonly string[]
  /** Conditions and expressions of its checks, indexes and statistics that call people's own code: reading it computes what is constant in them. */
  folded?: readonly string[]
  /** Its row policies' expressions, of those for reading it, and of all. Empty: one that can't be read now. */
  policies?: { reads: readonly string[]; writes: readonly string[] }
  /** Columns that are in a unique index or an exclusion constraint. */
  unique?: readonly string[]
  /** Columns that a constraint, or an index that keeps values apart, has together. */
  constrained?: readonly (readonly string[])[]
  /** Its own foreign keys. */
  refersTo?: readonly Reference[]
  /** The type whose attributes its columns are, and follow: pg_type.typname, in whatever schema. */
  ofType?: string
  /** Its transaction made it unless there was one of its name: known where a catalog has none that was read after that. */
  unlessThere?: 'unread' | 'read'
  /** As it was read, where it is as a transaction that is not over made it: good for as long as the catalog says this. */
  before?: CatalogRelation
}

/** `columns` of the one that refers, and `theirs` that they refer to, in the same order. `oid`: of the other relation. */
export interface Reference {
  oid: number
  columns: readonly string[]
  theirs: readonly string[]
}

/** Here the other is the relation whose rows refer to this one's. */
export interface ForeignKey extends Reference {
  /** CASCADE deletes rows; SET NULL, SET DEFAULT, and CASCADE of an update, change them. Undefined: they stay as they are. */
  onDelete: 'delete' | 'update' | undefined
  onUpdate: 'update' | undefined
}

/**
 * A domain whose check calls functions that are to be judged, a type that a cast by such a function leads from or to, or whose values it compares, or
 * one that holds these.
 * `reach`: where they may run. `named`: where the type is named; `touched`: or a column of it is used, which a literal may become one
 * beside; `row`: or whole rows of its table; `written`: where any column is written, or code runs; `any`: in every statement.
 */
export interface CodedType {
  oid: number
  name: string
  /** These functions, by oid. */
  calls: readonly number[]
  reach: 'named' | 'touched' | 'row' | 'written' | 'any'
}

/** One that people made. `code`: its function. `left` and `right`: types of its operands, by name (pg_type.typname); absent: it has none there. */
export interface CatalogOperator {
  schema: string
  name: string
  code: number
  /** Functions of the operators that the planner may take in its place, by oid: its commutator, its negator and theirs. */
  swaps?: readonly number[]
  left?: OperandType
  right?: OperandType
}

export interface OperandType {
  oid: number
  name: string
}

export interface CatalogFunction {
  oid: number
  schema: string
  name: string
  /** `sql`, `plpgsql`, `internal`, `c`, … */
  language: string
  volatility: 'immutable' | 'stable' | 'volatile'
  securityDefiner: boolean
  returnsSet: boolean
  /** Names of OUT and TABLE parameters in order, or of its type's columns: its columns in FROM. */
  outputs?: readonly string[]
  /** Gives one value, not a row, for each of its results. */
  scalar?: boolean
  /** pg_get_functiondef, for people's own in SQL and PL/pgSQL; read with an empty search_path, as views are. */
  definition?: string
  /** Number of its IN parameters. */
  inputs?: number
  /** One that people made, whose first parameter may be a row. */
  takesRow?: boolean
  /** Types of people's own that its results are of, or have columns of, by oid. */
  gives?: readonly number[]
  /** Of an aggregate that people made: the functions that it consists of, by oid. */
  parts?: readonly number[]
}

/** An immutable snapshot of the target's catalog. `version` grows with every refresh. */
export interface Catalog {
  readonly version: number
  readonly database: string
  /** Resolves as PostgreSQL does: pg_temp, pg_catalog and then the search path, unless the name is qualified. */
  relation(schema: string | undefined, name: string, searchPath: readonly string[]): CatalogRelation | undefined
  relationByOid(oid: number): CatalogRelation | undefined
  /** Its partitions, and the tables that inherit from it directly. */
  children(oid: number): readonly CatalogRelation[]
  /** Tables whose columns are the attributes of a type of that name. */
  typed(type: string): readonly CatalogRelation[]
  /** Of a search_path that can't be told: wherever they are. */
  functions(
    schema: string | undefined,
    name: string,
    searchPath: readonly string[] | undefined,
  ): readonly CatalogFunction[]
  functionByOid(oid: number): CatalogFunction | undefined
  /** Those that people made, as `functions`. */
  operators(
    schema: string | undefined,
    name: string,
    searchPath: readonly string[] | undefined,
  ): readonly CatalogOperator[]
  relations(): Iterable<CatalogRelation>
  /** Those that people made. */
  ownFunctions(): Iterable<CatalogFunction>
  readonly codedTypes: readonly CodedType[]
  /** Types of people's own under whose collation texts are equal that differ. */
  readonly lenientTypes: readonly OperandType[]
  /** Functions that changes of definitions run, by oid. */
  readonly eventTriggers: readonly number[]
  hasSchema(name: string): boolean
  /** Relations that a transaction made or changed which is not over. Of those that it made, numbers at the target are not known, and are below zero here. */
  readonly fresh?: readonly CatalogRelation[]
}

/** A base column, as `schema.table.column`; a name that holds a dot or a quote is quoted (`sql/ids.ts`). */
export type ColumnId = string

export interface OutputColumn {
  name: string
  /** Base columns that the value derives from. */
  sources: readonly ColumnId[]
  /** The value IS the one source column's value: no expression, no aggregate, no set operation that mixes sources. */
  plain: boolean
  /** Every text of its sources that it shows stands whole in it, as plain ones do: see `Value.whole`. */
  whole?: boolean
  /**
   * The relation and column (`schema.relation.column`) that the server's RowDescription names for it: a view's own column
   * for a view. Absent: RowDescription carries no table for this column.
   */
  origin?: ColumnId
}

/** A base column used where its value steers the result without being in it. */
export interface ColumnUse {
  column: ColumnId
  /** `lookup`: equality (or IN) with constants or parameters, joined by AND only. `predicate`: any other condition, join, order, group, window or filter. `write`: read by an assignment into another column. `compute`: something is computed from it, whether it is shown or not. */
  how: 'lookup' | 'predicate' | 'write' | 'compute'
}

/** Names of relations whose definitions changed, wherever they are; `any`: of other things too, or it can't be told of which. */
export type Changes = ReadonlySet<string> | 'any'

/** Session state that changes what a later name means. */
export type SessionEffect =
  | { kind: 'set'; name: string; value: string | null; local: boolean }
  | { kind: 'reset'; name: string | null }
  | { kind: 'begin' }
  | { kind: 'end' }
  /** ROLLBACK TO: settings changed since the savepoint are what they were before. */
  | { kind: 'rollback-to'; name: string }
  | { kind: 'prepare'; name: string; statement: StatementAnalysis }
  | { kind: 'deallocate'; name: string | null }
  /** `held`: it outlives its transaction. `moved`: as it is when search_path is another one by the time that it is fetched from. */
  | { kind: 'declare'; name: string; statement: StatementAnalysis; moved: StatementAnalysis; held: boolean }
  | { kind: 'close-cursor'; name: string | null }
  /** Something in the catalog changed: refresh before the next name is resolved. `alone`: no other session sees it. */
  | {
      kind: 'ddl'
      changes: Changes
      alone?: true
      /** Relations that its transaction made or changed, as they are from now on. */
      fresh?: readonly CatalogRelation[]
    }

export interface StatementAnalysis {
  /** UTF-16 offsets in the analysed text, without the terminating semicolon. */
  start: number
  end: number
  /** libpg_query node name: `SelectStmt`. */
  node: string
  action: Action
  /** Resolved `schema.table`, distinct and sorted; views as themselves, and what they expand to is in `columns`. */
  tables: readonly string[]
  /** Of these, those that its transaction made. */
  fresh?: ReadonlySet<string>
  /** Tables that are written. */
  written: readonly string[]
  /** Every base column touched in any way. */
  columns: readonly ColumnId[]
  functions: readonly string[]
  /** UPDATE and DELETE without WHERE are false; all else true. A WHERE that is constantly true counts as none. */
  hasWhere: boolean
  /** False: not everything the statement does is known. `doubt` says what, for people. */
  complete: boolean
  doubt?: string
  /** What is doubted is a relation, as it is named: the catalog knows none of that name. */
  missing?: string
  /** Columns of the result; null where there is no result set (or `complete` is false). */
  outputs: readonly OutputColumn[] | null
  uses: readonly ColumnUse[]
  effects: readonly SessionEffect[]
  /**
   * COPY … TO STDOUT: format as far as the inspector can mask it (`text` only; `other` is text with its own delimiter,
   * NULL or encoding); undefined when this is no COPY.
   */
  copyOut?: { format: 'text' | 'csv' | 'binary' | 'other'; columns: readonly OutputColumn[] }
  /** FETCH, MOVE, EXECUTE: the name whose statement decides masks; the session resolves it. `moves`: no row comes of it. */
  refers?: { kind: 'prepared' | 'cursor'; name: string; moves?: boolean | undefined }
  /**
   * Every literal of the statement is where its value can't change this analysis (a comparison's constant, VALUES, LIMIT),
   * so a statement that differs in literals alone has the same analysis.
   */
  literalFree: boolean
  /** Columns that it does not name, and what looks at them in its place, for people. */
  readers?: ReadonlyMap<ColumnId, string>
  /** Functions of people's own that it runs, by oid: those in triggers, operators, casts and other functions too. */
  followed?: ReadonlySet<number>
  /** It runs code of people's own, whose names are looked up when that runs. */
  code?: true
}

/** `position`: UTF-16 offset into the text where the parser stopped. */
export type Analysis = { ok: true; statements: StatementAnalysis[] } | { ok: false; message: string; position?: number }
