import type { Action } from '../../../../shared/actions.ts'

/** Statements whose node alone says what they do; `doubt`: what comes of them can't be followed. `ddl`: names may mean other things after. */
export interface Utility {
  action: Action
  doubt?: string
  ddl?: boolean
}

const foreign = 'what a foreign server gives access to is not known here'
const code = 'the code that it brings is not followed'

const ddl = (action: Action, doubt?: string): Utility => ({
  action,
  ddl: true,
  ...(doubt === undefined ? {} : { doubt }),
})
const plain = (action: Action, doubt?: string): Utility => ({ action, ...(doubt === undefined ? {} : { doubt }) })

export const utilities: ReadonlyMap<string, Utility> = new Map(
  Object.entries({
    // Session and transaction
    ConstraintsSetStmt: plain('sql:session'),
    ListenStmt: plain('sql:listen'),
    UnlistenStmt: plain('sql:session'),
    NotifyStmt: plain('sql:notify'),
    // Code
    CreateFunctionStmt: ddl('sql:create', "a function's body is not followed"),
    CreateTrigStmt: ddl('sql:create', code),
    CreateEventTrigStmt: ddl('sql:create', code),
    CreatePLangStmt: ddl('sql:create', code),
    RuleStmt: ddl('sql:create', "a rule's actions are not followed"),
    CreateCastStmt: ddl('sql:create', code),
    CreateTransformStmt: ddl('sql:create', code),
    CreateConversionStmt: ddl('sql:create', code),
    CreateOpClassStmt: ddl('sql:create', code),
    CreateOpFamilyStmt: ddl('sql:create', code),
    AlterOpFamilyStmt: ddl('sql:alter', code),
    CreateAmStmt: ddl('sql:create', code),
    CreateExtensionStmt: ddl('sql:create', 'an extension brings code that is not followed'),
    AlterExtensionStmt: ddl('sql:alter', 'an extension brings code that is not followed'),
    AlterExtensionContentsStmt: ddl('sql:alter'),
    LoadStmt: plain('sql:system', code),
    // Schema
    CreateSeqStmt: ddl('sql:create'),
    AlterSeqStmt: ddl('sql:alter'),
    AlterStatsStmt: ddl('sql:alter'),
    AlterEnumStmt: ddl('sql:alter'),
    AlterTypeStmt: ddl('sql:alter'),
    AlterOperatorStmt: ddl('sql:alter'),
    AlterCollationStmt: ddl('sql:alter'),
    AlterOwnerStmt: ddl('sql:alter'),
    AlterObjectDependsStmt: ddl('sql:alter'),
    AlterEventTrigStmt: ddl('sql:alter', code),
    AlterTSDictionaryStmt: ddl('sql:alter'),
    AlterTSConfigurationStmt: ddl('sql:alter'),
    AlterTableMoveAllStmt: ddl('sql:alter'),
    CommentStmt: plain('sql:comment'),
    SecLabelStmt: plain('sql:alter'),
    // Databases, roles, the server
    CreatedbStmt: plain('sql:create'),
    DropdbStmt: plain('sql:drop'),
    AlterDatabaseStmt: plain('sql:alter'),
    AlterDatabaseRefreshCollStmt: plain('sql:alter'),
    AlterDatabaseSetStmt: plain('sql:system'),
    CreateTableSpaceStmt: plain('sql:system'),
    DropTableSpaceStmt: plain('sql:system'),
    AlterTableSpaceOptionsStmt: plain('sql:system'),
    AlterSystemStmt: plain('sql:system'),
    CheckPointStmt: plain('sql:system'),
    GrantStmt: plain('sql:grant'),
    AlterDefaultPrivilegesStmt: plain('sql:grant'),
    GrantRoleStmt: plain('sql:role'),
    CreateRoleStmt: plain('sql:role'),
    AlterRoleStmt: plain('sql:role'),
    AlterRoleSetStmt: plain('sql:role'),
    DropRoleStmt: plain('sql:role'),
    DropOwnedStmt: ddl('sql:role'),
    ReassignOwnedStmt: ddl('sql:role'),
    // Elsewhere
    CreateFdwStmt: ddl('sql:system', foreign),
    AlterFdwStmt: ddl('sql:system', foreign),
    CreateForeignServerStmt: ddl('sql:system', foreign),
    AlterForeignServerStmt: ddl('sql:system', foreign),
    CreateForeignTableStmt: ddl('sql:create', foreign),
    ImportForeignSchemaStmt: ddl('sql:create', foreign),
    CreateUserMappingStmt: ddl('sql:system', foreign),
    AlterUserMappingStmt: ddl('sql:system', foreign),
    DropUserMappingStmt: ddl('sql:system'),
    CreatePublicationStmt: ddl('sql:replication', 'a publication sends values past every mask'),
    AlterPublicationStmt: ddl('sql:replication', 'a publication sends values past every mask'),
    CreateSubscriptionStmt: ddl('sql:replication', foreign),
    AlterSubscriptionStmt: ddl('sql:replication', foreign),
    DropSubscriptionStmt: ddl('sql:replication'),
  } satisfies Record<string, Utility>),
)
