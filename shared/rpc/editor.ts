import { z } from 'zod'
import { ConnectionName } from '../connection.ts'

/** What the SQL editor asks of the client core beside running: `shared/rpc/contract.ts` puts it under `editor`. */

/** Statements that one check takes, and how long each may be (UTF-16 units). */
export const checkLimits = { statements: 200, length: 64 * 1024 } as const

/** PostgreSQL's parser stopped here: UTF-16 offset in the statement. */
export const SyntaxProblem = z.object({ message: z.string(), position: z.number().int().min(0) })
export type SyntaxProblem = z.infer<typeof SyntaxProblem>

export const CheckInput = z.object({
  statements: z.array(z.string().max(checkLimits.length)).max(checkLimits.statements),
})
/** One answer for each statement; null where the parser has nothing to say. */
export const CheckOutput = z.array(SyntaxProblem.nullable())

const TableName = z.object({ schema: z.string(), table: z.string() })

export const CatalogColumn = z.object({
  name: z.string(),
  /** As PostgreSQL writes it: `character varying(20)`. */
  type: z.string(),
  /** Of `CatalogType`, or of its array, where the database defines the type itself. */
  typeId: z.number().int().optional(),
  notNull: z.boolean(),
  dataClass: z.string().optional(),
  masked: z.boolean(),
})
export type CatalogColumn = z.infer<typeof CatalogColumn>

export const CatalogTable = z.object({
  schema: z.string(),
  name: z.string(),
  kind: z.enum(['table', 'view', 'materialized', 'foreign']),
  columns: z.array(CatalogColumn),
})
export type CatalogTable = z.infer<typeof CatalogTable>

export const CatalogKey = TableName.extend({
  name: z.string(),
  kind: z.enum(['primary', 'unique', 'foreign']),
  columns: z.array(z.string()),
  /** What a foreign key refers to, column by column. */
  refers: TableName.extend({ columns: z.array(z.string()) }).optional(),
  /** `FOREIGN KEY (customer_id) REFERENCES customers(id)`. */
  definition: z.string(),
})
export type CatalogKey = z.infer<typeof CatalogKey>

/** One of the functions that have a name. */
export const Signature = z.object({
  /** Its OID, by which its definition is asked for. */
  id: z.number().int().min(0).max(0xffff_ffff),
  /** As PostgreSQL writes them: `customer bigint, since date DEFAULT now()`. */
  arguments: z.string(),
  /** Empty for a procedure without results. */
  result: z.string(),
  /** What its COMMENT says. */
  comment: z.string().optional(),
})
export type Signature = z.infer<typeof Signature>

export const CatalogFunction = z.object({
  schema: z.string(),
  name: z.string(),
  /** `trigger`: only a trigger can call it. */
  kind: z.enum(['function', 'aggregate', 'window', 'procedure', 'trigger']),
  /** Never empty; those with few arguments first, and of them those whose types PostgreSQL prefers: `text` before `bit`. */
  signatures: z.array(Signature),
})
export type CatalogFunction = z.infer<typeof CatalogFunction>

/** A type that the database defines itself. */
export const CatalogType = z.object({
  id: z.number().int(),
  /** Of the type of its arrays; 0 where there is none. */
  arrayId: z.number().int(),
  schema: z.string(),
  name: z.string(),
  kind: z.enum(['enum', 'domain', 'composite', 'range', 'base']),
  /** Of an enum, in their order. */
  labels: z.array(z.string()),
  /** Of a composite type. */
  fields: z.array(z.object({ name: z.string(), type: z.string() })),
  /** What a domain or range is made of, and its id. */
  base: z.object({ id: z.number().int(), type: z.string() }).optional(),
  /** Of a domain: NOT NULL and its checks. */
  constraints: z.array(z.string()),
})
export type CatalogType = z.infer<typeof CatalogType>

/** What a connection's database holds, as this person sees it. */
export const SqlCatalog = z.object({
  tables: z.array(CatalogTable),
  keys: z.array(CatalogKey),
  indexes: z.array(TableName.extend({ name: z.string(), definition: z.string() })),
  functions: z.array(CatalogFunction),
  types: z.array(CatalogType),
  /** Tables and views of `pg_catalog` and `information_schema`. */
  system: z.array(CatalogTable).optional(),
  /** Why keys, indexes, functions and types are not there, in words; absent when they are. */
  partial: z.string().optional(),
})
export type SqlCatalog = z.infer<typeof SqlCatalog>

export const CatalogInput = z.object({
  connection: ConnectionName,
  /** Reads the database again: something in it was created, altered or dropped. Classes and masks are always read. */
  refresh: z.boolean().default(false),
})

/** Whose definition is asked for, as the database itself writes it. */
export const DefinitionInput = z.object({
  connection: ConnectionName,
  of: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('function'), id: Signature.shape.id }),
    z.object({ kind: z.literal('view'), schema: z.string(), name: z.string() }),
  ]),
})
export type DefinitionInput = z.infer<typeof DefinitionInput>

/** `failed`: nothing but a rollback helps. */
export const TransactionState = z.enum(['none', 'open', 'failed'])
export type TransactionState = z.infer<typeof TransactionState>

/**
 * A plan instead of a result. `plan`: the statement is planned and does not run. `measure`: it runs, in a transaction of its own or
 * behind a savepoint, and is rolled back.
 */
export const ExplainMode = z.enum(['plan', 'measure'])
export type ExplainMode = z.infer<typeof ExplainMode>

/** What is put before a statement, for its plan as JSON. */
export const explainLead = {
  plan: 'EXPLAIN (FORMAT JSON) ',
  measure: 'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ',
} as const satisfies Record<ExplainMode, string>

/** How a statement ended: as the gateway decided, or as the database answered. */
export const RanOutcome = z.enum([
  'allowed',
  'masked',
  'granted',
  'approved',
  'blocked',
  'denied',
  'expired',
  'failed',
  'cancelled',
])
export type RanOutcome = z.infer<typeof RanOutcome>

export const HistoryEntry = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  connection: ConnectionName,
  text: z.string(),
  outcome: RanOutcome,
  rows: z.number().int().optional(),
  ms: z.number().optional(),
})
export type HistoryEntry = z.infer<typeof HistoryEntry>

export const HistoryInput = z.object({
  /** Words that all must be in the statement. */
  search: z.string().max(500).default(''),
  connection: ConnectionName.optional(),
  limit: z.number().int().min(1).max(500).default(100),
})
export const HistoryPage = z.object({ entries: z.array(HistoryEntry), more: z.boolean() })

const savedFields = {
  name: z.string().trim().min(1, 'give it a name').max(120),
  /** Folders with `/` between them; empty is the top. */
  folder: z.string().trim().max(200),
  /** The connection it is for; any where absent. */
  connection: ConnectionName.optional(),
  text: z.string().max(200_000),
}
export const SavedQuery = z.object({ id: z.string(), savedAt: z.iso.datetime(), ...savedFields })
export type SavedQuery = z.infer<typeof SavedQuery>
export const SavedQueryChange = z.object({ id: z.string().optional(), ...savedFields })
export type SavedQueryChange = z.infer<typeof SavedQueryChange>
