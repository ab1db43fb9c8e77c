import { type Action, actionParents, actions } from '../shared/actions.ts'
import { Environment } from '../shared/connection.ts'

/** Where the schema is kept as a file, for editors and Cedar's own tools. A test holds file and code together. */
export const schemaFile = 'sallyport.cedarschema'

/** Actions whose resource is a DataClass; all others act on a Connection. */
const onDataClass: ReadonlySet<Action> = new Set(['unmask'])

const head = `// The schema of Sallyport's policies. It is part of the product and generated from shared/actions.ts
// (policy/schema.ts): a policy folder does not need a copy of it.

// People and machines carry the groups that the identity provider names.
entity Group;
entity User in [Group];
entity Machine in [Group];

entity Environment enum [${Environment.options.map((name) => `"${name}"`).join(', ')}];
entity Tag;
entity Connection in [Environment, Tag] {
  // postgres, ssh, http, kubernetes or rdp
  kind: String,
  environment: Environment,
  tags: Set<String>,
};

// A data class of classification.yaml.
entity DataClass;

// Every action has all of these, so that a policy need not ask with \`has\`; only a ticket may be missing.
type Request = {
  // sql: "schema.table", and "schema.table.column" of every column that the statement touches
  tables: Set<String>,
  columns: Set<String>,
  functions: Set<String>,
  // false: an UPDATE or DELETE without WHERE
  hasWhere: Bool,
  // statements in the same message
  statementCount: Long,
  // false: the gateway can't tell all that the statement does
  complete: Bool,
  // ssh:exec, else ""
  command: String,
  // ssh:sftp, else ""
  path: String,
  // rdp:clipboard: "in" to the target, "out" to the person; else ""
  direction: String,
  now: datetime,
  sourceIp: ipaddr,
  mfa: Bool,
  // actions that a grant in force gives this principal on this connection, as written in the grant
  grants: Set<String>,
  ticket?: String,
};

// An unmask is asked per data class; the connection it is on is in the context.
type UnmaskRequest = {
  tables: Set<String>,
  columns: Set<String>,
  functions: Set<String>,
  hasWhere: Bool,
  statementCount: Long,
  complete: Bool,
  command: String,
  path: String,
  direction: String,
  now: datetime,
  sourceIp: ipaddr,
  mfa: Bool,
  grants: Set<String>,
  ticket?: String,
  connection: Connection,
  environment: Environment,
};
`

function declaration(action: Action): string {
  const parent = actionParents[action]
  const inside = parent === null ? '' : ` in ["${parent}"]`
  const applies = onDataClass.has(action)
    ? '{ principal: [User, Machine], resource: [DataClass], context: UnmaskRequest }'
    : '{ principal: [User, Machine], resource: [Connection], context: Request }'
  return `action "${action}"${inside} appliesTo ${applies};`
}

/** The Cedar schema that every policy set is validated against, strictly. */
export const schemaText = `${head}\n${actions.map(declaration).join('\n')}\n`
