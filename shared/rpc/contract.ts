import { eventIterator, oc } from '@orpc/contract'
import { z } from 'zod'
import { apiContract } from '../api/contract.ts'
import { GatewayEvent } from '../api/models.ts'
import { StepUp } from '../api/problem.ts'
import { ConnectionName, Environment } from '../connection.ts'
import { AuthState, DeepLink, Diagnostics, LinkState, Platform, UpdateState } from './app.ts'
import { DesktopProgramId, DesktopState } from './desktop.ts'
import {
  CatalogInput,
  CheckInput,
  CheckOutput,
  DefinitionInput,
  ExplainMode,
  HistoryInput,
  HistoryPage,
  SavedQuery,
  SavedQueryChange,
  SqlCatalog,
  TransactionState,
} from './editor.ts'
import { Endpoint } from './endpoint.ts'
import { NoticeEvent } from './notice.ts'
import { Problem } from './problem.ts'
import { Settings, SettingsChange } from './settings.ts'
import { Cell, ExportEvent, ExportFormat, Rearrangement, RunEvent, SessionEnd } from './sql.ts'
import { TerminalEvent } from './terminal.ts'

export * from './app.ts'
export * from './endpoint.ts'
export * from './settings.ts'
export * from './sql.ts'
export * from './terminal.ts'
export { Problem }

/**
 * What the renderer may ask of the client core (`main/`): over a MessagePort in Electron, a WebSocket in the browser shell.
 * No token, password or address of a target ever crosses it.
 */

const problem = { PROBLEM: { status: 500, data: Problem } } as const
const rpc = oc.errors(problem)
/** A page of the client, as it calls itself. */
const PageId = z.uuid()
const handle = z.object({ id: z.string() })

export const rpcContract = {
  app: {
    platform: rpc.output(Platform),
    settings: rpc.output(Settings),
    saveSettings: rpc.input(SettingsChange).output(Settings),
    /** Apart from the settings, because they are saved while somebody types: nothing comes back, and nobody else hears of it. */
    saveDrafts: rpc.input(z.object({ drafts: z.unknown() })),
    /** Opens an http(s) page of the gateway in the system browser; anything else is refused. */
    openExternal: rpc.input(z.object({ url: z.url() })),
    deepLinks: rpc.output(eventIterator(DeepLink)),
    link: rpc.output(eventIterator(LinkState)),
    /** The bundle for support, to be looked at first. */
    diagnostics: rpc.output(Diagnostics),
    /** Writes the bundle to the downloads folder, and says where. */
    saveDiagnostics: rpc.output(z.object({ path: z.string() })),
    update: rpc.output(eventIterator(UpdateState)),
    /** Looks for a new version now, and fetches one that is there. */
    checkUpdate: rpc,
    /** Closes the app, installs what is ready and starts again. */
    installUpdate: rpc,
    /**
     * For as long as a page is open, under a name of its own. What it opens under that name (sessions, terminals, desktops) is closed
     * soon after it has gone.
     */
    stay: rpc.input(z.object({ page: PageId })).output(eventIterator(z.literal(true))),
    /** What the system is to tell: first what waits for this person, then every change. */
    notices: rpc.output(eventIterator(NoticeEvent)),
  },
  auth: {
    /** The current state at once, then every change. */
    state: rpc.output(eventIterator(AuthState)),
    /** Checks the address: reachable, and a Sallyport gateway. */
    discover: rpc.input(z.object({ gateway: z.string() })).output(z.object({ gateway: z.url(), name: z.string() })),
    signIn: rpc.input(z.object({ gateway: z.string(), flow: z.enum(['browser', 'device']) })),
    cancel: rpc,
    signOut: rpc,
    /** The person proves again who they are, because of a problem whose action is `step-up`. Resolves once they have. */
    confirm: rpc.input(z.object({ lack: StepUp, why: z.string() })),
  },
  /** The gateway API, as far as a page may use it: the same procedures, with the person's token added by main. */
  gateway: {
    me: apiContract.me,
    connections: { list: apiContract.connections.list, schema: apiContract.connections.schema },
    sessions: { list: apiContract.sessions.list, get: apiContract.sessions.get, kill: apiContract.sessions.kill },
    recordings: apiContract.recordings,
    requests: apiContract.requests,
    grants: apiContract.grants,
    identities: { list: apiContract.identities.list },
    explain: apiContract.explain,
  },
  /** Gateway events, reconnected and resumed by main. */
  events: rpc.output(eventIterator(GatewayEvent)),
  sql: {
    /** A SQL session on a connection; it dials on the first run. */
    open: rpc
      .input(z.object({ connection: ConnectionName, page: PageId.optional() }))
      .output(handle.extend({ environment: Environment })),
    /** Runs `text` from `start` to `end`, statement by statement. `stopOnError` ends at the first that fails. */
    run: rpc
      .input(
        handle.extend({
          text: z.string(),
          start: z.number().int().min(0),
          end: z.number().int().min(0),
          stopOnError: z.boolean().default(true),
          /** `manual`: a transaction is begun before a statement that has none, and stays open until it is ended. */
          commit: z.enum(['auto', 'manual']).default('auto'),
          /** Values for `:name` and `$1`, sent as bind parameters. Absent: the text goes as it is. */
          values: z.record(z.string(), z.string().nullable()).optional(),
          /** Asks for the plan of each statement instead of its result. */
          explain: ExplainMode.optional(),
          /** A result in another order: an open transaction is as it was after it, also where that fails. */
          again: z.literal(true).optional(),
        }),
      )
      .output(eventIterator(RunEvent)),
    /**
     * A window of a result: rows [from, to). Short when the result is. With `maxCell`, longer cells come as their first so many
     * characters, and `long` says which, with their whole length.
     */
    rows: rpc
      .input(
        z.object({
          result: z.string(),
          from: z.number().int().min(0),
          to: z.number().int().min(0),
          maxCell: z.number().int().min(1).optional(),
        }),
      )
      .output(
        z.object({
          rows: z.array(z.array(Cell)),
          total: z.number().int(),
          complete: z.boolean(),
          long: z.array(z.object({ row: z.number().int(), column: z.number().int(), length: z.number().int() })),
        }),
      ),
    /** Each end of the session while nothing runs; a run tells of its own. */
    ends: rpc.input(handle).output(eventIterator(SessionEnd)),
    cancel: rpc.input(handle),
    /** What runs next has a session of its own, with the sign-in as it is then. A `conflict` while something runs or is uncommitted. */
    renew: rpc.input(handle),
    /** Ends the session's transaction. A problem says why it could not be; then it is as it was. */
    endTransaction: rpc
      .input(handle.extend({ how: z.enum(['commit', 'rollback']) }))
      .output(z.object({ state: TransactionState })),
    /** Saves a whole result that is complete. `partial`: also when rows of it were not kept, which the person was told. */
    export: rpc
      .input(z.object({ result: z.string(), format: ExportFormat, name: z.string().max(200), partial: z.boolean() }))
      .output(eventIterator(ExportEvent)),
    /** Saves one value as a file: the bytes of a bytea, else text. */
    saveCell: rpc
      .input(z.object({ result: z.string(), row: z.number().int().min(0), column: z.number().int().min(0) }))
      .output(eventIterator(ExportEvent)),
    /** The statement that shows a query's result sorted or filtered; a problem says why there is none. Runs nothing. */
    rearrange: rpc.input(Rearrangement).output(z.object({ text: z.string() })),
    release: rpc.input(z.object({ result: z.string() })),
    close: rpc.input(handle),
  },
  /** Help while writing SQL. Nothing here runs what is written. */
  editor: {
    check: rpc.input(CheckInput).output(CheckOutput),
    /** Read through the gateway in a session that is for that alone, and kept; see `refresh`. */
    catalog: rpc.input(CatalogInput).output(SqlCatalog),
    /** Read in the same way, and not kept. */
    definition: rpc.input(DefinitionInput).output(z.object({ text: z.string() })),
    /** What this person ran through this gateway, newest first. Statements, never results. */
    history: rpc.input(HistoryInput).output(HistoryPage),
    clearHistory: rpc,
    saved: rpc.output(z.array(SavedQuery)),
    /** Saves a query, or changes the one with that id. */
    save: rpc.input(SavedQueryChange).output(SavedQuery),
    removeSaved: rpc.input(z.object({ id: z.string() })),
  },
  terminal: {
    open: rpc
      .input(
        z.object({
          connection: ConnectionName,
          cols: z.number().int(),
          rows: z.number().int(),
          page: PageId.optional(),
        }),
      )
      .output(handle),
    /** One reader per terminal; output waits until it is read. */
    attach: rpc.input(handle).output(eventIterator(TerminalEvent)),
    write: rpc.input(handle.extend({ data: z.string() })),
    resize: rpc.input(handle.extend({ cols: z.number().int(), rows: z.number().int() })),
    close: rpc.input(handle),
  },
  desktop: {
    /** A desktop's tab. Asks the gateway and starts the program; `program` is remembered as the choice. */
    open: rpc
      .input(z.object({ connection: ConnectionName, program: DesktopProgramId.optional(), page: PageId.optional() }))
      .output(handle),
    /** The state at once, then each change. */
    attach: rpc.input(handle).output(eventIterator(DesktopState)),
    /** Once more, in a new session: the one before is ended. */
    launch: rpc.input(handle.extend({ program: DesktopProgramId.optional() })),
    /** Brings the program's window to the front, where the system lets us. */
    front: rpc.input(handle),
    /** The one-time password, for the viewer and for a program that only a person can give it to: good for this session alone. */
    password: rpc.input(handle).output(z.object({ user: z.string(), password: z.string() })),
    /** For the viewer in the page: what it would receive from its server, base64. Ends with the session. */
    view: rpc.input(handle).output(eventIterator(z.string())),
    /** What the viewer sends, base64; answered when there is room for more. */
    send: rpc.input(handle.extend({ data: z.base64().max(8 * 1024 * 1024) })),
    /** Ends the session and keeps the tab. */
    end: rpc.input(handle),
    close: rpc.input(handle),
  },
  endpoints: {
    list: rpc.output(z.array(Endpoint)),
    /** `port` sets another fixed port, for when the last one is taken by some other program. */
    open: rpc
      .input(z.object({ connection: ConnectionName, port: z.number().int().min(1).max(65535).optional() }))
      .output(Endpoint),
    close: rpc.input(z.object({ connection: ConnectionName })).output(Endpoint),
    /** Another fixed port, or whether it opens at start. A port is changed while it is closed. */
    configure: rpc
      .input(
        z.object({
          connection: ConnectionName,
          port: z.number().int().min(1024).max(65535).optional(),
          atStart: z.boolean().optional(),
        }),
      )
      .output(Endpoint),
    /** Each endpoint that changes: opened, closed, a client came or went. */
    changes: rpc.output(eventIterator(Endpoint)),
  },
}
