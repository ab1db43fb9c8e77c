import { eventIterator, oc } from '@orpc/contract'
import { z } from 'zod'
import { Annotation } from '../annotation.ts'
import { apiContract } from '../api/contract.ts'
import { GatewayEvent } from '../api/models.ts'
import { StepUp } from '../api/problem.ts'
import { ConnectionName, Environment } from '../connection.ts'
import { DesktopProgramId, DesktopState } from './desktop.ts'
import {
  CatalogInput,
  CheckInput,
  CheckOutput,
  ExplainMode,
  HistoryInput,
  HistoryPage,
  SavedQuery,
  SavedQueryChange,
  SqlCatalog,
  TransactionState,
} from './editor.ts'
import { NoticeEvent } from './notice.ts'
import { Problem } from './problem.ts'

export { Problem }

/**
 * What the renderer may ask of the client core (`main/`): over a MessagePort in Electron, a WebSocket in the browser shell.
 * No token, password or address of a target ever crosses it.
 */

export const Platform = z.object({
  shell: z.enum(['electron', 'browser']),
  os: z.enum(['mac', 'windows', 'linux']),
  /** Who shows `app.notices`: the desktop shell through the system, or the page through the browser it is in. */
  notifications: z.enum(['shell', 'page']),
  version: z.string(),
  /** The gateway this client last used or was started for; empty on first run. */
  gateway: z.string(),
})
export type Platform = z.infer<typeof Platform>

export const AuthState = z.discriminatedUnion('state', [
  z.object({ state: z.literal('signed-out'), problem: Problem.optional() }),
  /** `code` is set for the device flow; `url` can be opened again. */
  z.object({ state: z.literal('waiting'), url: z.string(), code: z.string().optional(), expiresAt: z.iso.datetime() }),
  z.object({
    state: z.literal('signed-in'),
    gateway: z.string(),
    gatewayName: z.string(),
    person: z.object({ id: z.string(), name: z.string(), groups: z.array(z.string()) }),
    /** The browser waits for the person to prove again who they are, with a second factor; `why` says what for. */
    confirming: z
      .object({ url: z.string(), code: z.string().optional(), expiresAt: z.iso.datetime(), why: z.string() })
      .optional(),
  }),
  /** The sign-in ended while working: tabs keep what they hold. */
  z.object({
    state: z.literal('expired'),
    gateway: z.string(),
    person: z.object({ id: z.string(), name: z.string(), groups: z.array(z.string()) }),
  }),
])
export type AuthState = z.infer<typeof AuthState>

/** Whether the gateway answers. `latencyMs` is the median of the last few round trips. */
export const LinkState = z.object({
  state: z.enum(['up', 'down']),
  latencyMs: z.number().optional(),
  since: z.iso.datetime(),
})
export type LinkState = z.infer<typeof LinkState>

export const ResultColumn = z.object({
  name: z.string(),
  /** PostgreSQL type name (`int4`, `text`, `timestamptz`), for alignment and format. */
  type: z.string(),
  masked: z
    .object({ dataClass: z.string(), policyId: z.string(), reason: z.string(), requestable: z.boolean() })
    .optional(),
})
export type ResultColumn = z.infer<typeof ResultColumn>

/** A cell as text in PostgreSQL's output format; null is SQL NULL. */
export const Cell = z.string().nullable()

/** Of a result that comes in: so many rows are told with the first news of it, and of each cell so many characters. */
export const firstRows = { count: 200, cell: 1_000 } as const

/**
 * What happens to one run, in order. `statement` counts from 0 within the run, and `start`/`end` are UTF-16 offsets in the text
 * that was given to `sql.run`. Rows do not travel here: ask `sql.rows` for windows of a result.
 */
export const RunEvent = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('statement'),
    statement: z.number().int(),
    start: z.number().int(),
    end: z.number().int(),
    /** As it stands in the run's text; with `explain` the lead of that mode was sent before it. */
    text: z.string(),
    explain: ExplainMode.optional(),
  }),
  z.object({
    type: z.literal('annotation'),
    statement: z.number().int(),
    at: z.iso.datetime(),
    annotation: Annotation,
  }),
  z.object({ type: z.literal('notice'), statement: z.number().int(), severity: z.string(), message: z.string() }),
  /** The result has columns; `result` is the handle for `sql.rows`. */
  z.object({
    type: z.literal('columns'),
    statement: z.number().int(),
    result: z.string(),
    columns: z.array(ResultColumn),
  }),
  /** So many rows are there to be read by now. The first of these events brings the beginning of them: see `firstRows`. */
  z.object({
    type: z.literal('progress'),
    statement: z.number().int(),
    result: z.string(),
    rows: z.number().int(),
    first: z.array(z.array(Cell)).optional(),
  }),
  /** `truncated`: the client's own limit cut the result; the text says how much is kept. */
  z.object({
    type: z.literal('complete'),
    statement: z.number().int(),
    tag: z.string(),
    rows: z.number().int(),
    ms: z.number(),
    truncated: z.boolean(),
  }),
  z.object({
    type: z.literal('error'),
    statement: z.number().int(),
    message: z.string(),
    sqlstate: z.string().optional(),
    detail: z.string().optional(),
    hint: z.string().optional(),
    /** UTF-16 offset in the run's text. */
    position: z.number().int().optional(),
    problem: Problem.optional(),
  }),
  /** The session's transaction, when that changed. */
  z.object({ type: z.literal('transaction'), state: TransactionState }),
  /** A session has begun on this version of the server, as it calls itself (`15.18`). */
  z.object({ type: z.literal('server'), version: z.string() }),
  z.object({ type: z.literal('done'), ran: z.number().int() }),
])
export type RunEvent = z.infer<typeof RunEvent>

export const ExportFormat = z.enum(['csv', 'json', 'xlsx'])
export type ExportFormat = z.infer<typeof ExportFormat>

/** How the export of a result goes. The file is there with `done`, whole, and not before. */
export const ExportEvent = z.discriminatedUnion('type', [
  /** The browser shell: the page opens this path of its own origin, and the browser saves what comes. */
  z.object({ type: z.literal('offer'), path: z.string().regex(/^\/download\/[A-Za-z0-9_-]+$/) }),
  z.object({ type: z.literal('progress'), rows: z.number().int(), total: z.number().int(), bytes: z.number().int() }),
  /** The person chose no place for it. */
  z.object({ type: z.literal('dismissed') }),
  /** `file`: where it is, in words. */
  z.object({ type: z.literal('done'), rows: z.number().int(), bytes: z.number().int(), file: z.string() }),
])
export type ExportEvent = z.infer<typeof ExportEvent>

const ColumnIndex = z.number().int().min(0)

/** A query, the columns of its result, and how the result is wanted: `column` counts them from 0. */
export const Rearrangement = z.object({
  text: z.string(),
  columns: z.array(ResultColumn),
  sort: z.array(z.object({ column: ColumnIndex, direction: z.enum(['asc', 'desc']) })),
  filters: z.array(
    z.object({
      column: ColumnIndex,
      operator: z.enum(['contains', 'equals', 'differs', 'less', 'greater', 'null', 'not-null']),
      /** Not used by the last two. */
      value: z.string(),
    }),
  ),
})
export type Rearrangement = z.infer<typeof Rearrangement>

export const TerminalEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), sessionId: z.string() }),
  /** Output for xterm, annotations taken out. */
  z.object({ type: z.literal('data'), text: z.string() }),
  z.object({ type: z.literal('annotation'), at: z.iso.datetime(), annotation: Annotation }),
  z.object({
    type: z.literal('exit'),
    code: z.number().int().optional(),
    signal: z.string().optional(),
    problem: Problem.optional(),
  }),
])
export type TerminalEvent = z.infer<typeof TerminalEvent>

/** A loopback address where native tools reach a connection. */
export const Endpoint = z.object({
  connection: ConnectionName,
  kind: z.string(),
  host: z.string(),
  port: z.number().int(),
  user: z.string(),
  database: z.string().optional(),
  open: z.boolean(),
  /** Native clients that are connected through it now. */
  clients: z.number().int(),
  /** Opened by itself when the app starts and somebody signs in. */
  atStart: z.boolean(),
  /** Why it could not be opened the last time it was tried. */
  problem: Problem.optional(),
  /** Where its port is taken by some other program: the next one that is free. */
  freePort: z.number().int().optional(),
})
export type Endpoint = z.infer<typeof Endpoint>

export const Settings = z.object({
  theme: z.enum(['system', 'light', 'dark']).default('system'),
  /** High contrast: as the system asks for, or always. */
  contrast: z.enum(['system', 'high']).default('system'),
  /** Reduced motion: as the system asks for, or always. */
  motion: z.enum(['system', 'reduced']).default('system'),
  /** Of the desktop app's window; a browser has its own. */
  zoom: z.number().min(0.5).max(2).default(1),
  /** Of editor, terminal and grid, in CSS pixels. */
  codeSize: z.number().min(10).max(20).default(12.5),
  gateway: z.string().default(''),
  pinned: z.array(ConnectionName).default([]),
  /** Connections opened last, newest first. */
  recent: z.array(ConnectionName).max(20).default([]),
  /** How the tree of connections is grouped. */
  grouping: z.enum(['environment', 'tag']).default('environment'),
  /** Keys that differ from the default: action → combination; empty for none. */
  keys: z.record(z.string().max(60), z.string().max(40)).default({}),
  /** New versions: fetched by themselves, or when asked. They are installed when the app is closed. */
  updates: z.enum(['automatic', 'manual']).default('automatic'),
  /** What shows desktops on this machine; absent: the first that is installed. */
  desktopProgram: DesktopProgramId.optional(),
  /** Hints of the first run that were put away. */
  hints: z.array(z.string().max(40)).max(40).default([]),
  /** Drafts of SQL tabs, so that nothing typed is lost; the renderer's own shape, opaque to main. */
  workspace: z.unknown().optional(),
})
export type Settings = z.infer<typeof Settings>

/** What to change of the settings. No defaults here: what is not named stays as it is. */
export const SettingsChange = z
  .object({
    theme: Settings.shape.theme.unwrap(),
    contrast: Settings.shape.contrast.unwrap(),
    motion: Settings.shape.motion.unwrap(),
    zoom: Settings.shape.zoom.unwrap(),
    codeSize: Settings.shape.codeSize.unwrap(),
    gateway: Settings.shape.gateway.unwrap(),
    pinned: Settings.shape.pinned.unwrap(),
    recent: Settings.shape.recent.unwrap(),
    grouping: Settings.shape.grouping.unwrap(),
    keys: Settings.shape.keys.unwrap(),
    updates: Settings.shape.updates.unwrap(),
    desktopProgram: DesktopProgramId,
    hints: Settings.shape.hints.unwrap(),
  })
  .partial()

/** How far a new version of the app is. `none`: this shell is not updated by itself, and `why` says what to do instead. */
export const UpdateState = z.discriminatedUnion('state', [
  z.object({ state: z.literal('none'), why: z.string() }),
  z.object({ state: z.literal('current'), checkedAt: z.iso.datetime().optional() }),
  z.object({ state: z.literal('checking') }),
  z.object({ state: z.literal('available'), version: z.string() }),
  z.object({ state: z.literal('downloading'), version: z.string(), percent: z.number() }),
  /** Fetched, its signature verified; installed when the app closes, or now. */
  z.object({ state: z.literal('ready'), version: z.string() }),
  z.object({ state: z.literal('failed'), problem: Problem }),
])
export type UpdateState = z.infer<typeof UpdateState>

/** What support needs to know: versions, states and the log. No secret, no statement, no result. */
export const Diagnostics = z.object({
  /** A name for the file. */
  name: z.string(),
  /** JSON, indented: what the person reads before they hand it on. */
  text: z.string(),
})
export type Diagnostics = z.infer<typeof Diagnostics>

/** `sallyport://…`, parsed once. A link opens a view and never acts. */
export const DeepLink = z.discriminatedUnion('to', [
  z.object({
    to: z.literal('request'),
    id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
    /** Where the cursor goes. Set by a notification's button; no link that comes from outside can. */
    focus: z.literal('deny').optional(),
  }),
  z.object({ to: z.literal('connection'), name: ConnectionName }),
  z.object({
    to: z.literal('session'),
    id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
    /** Seconds into the recording. */
    at: z.number().int().min(0).optional(),
  }),
])
export type DeepLink = z.infer<typeof DeepLink>

const problem = { PROBLEM: { status: 500, data: Problem } } as const
const rpc = oc.errors(problem)
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
    identities: apiContract.identities,
    explain: apiContract.explain,
  },
  /** Gateway events, reconnected and resumed by main. */
  events: rpc.output(eventIterator(GatewayEvent)),
  sql: {
    /** A SQL session on a connection; it dials on the first run. */
    open: rpc.input(z.object({ connection: ConnectionName })).output(handle.extend({ environment: Environment })),
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
    /** Read through the gateway in a session of its own, and kept; see `refresh`. */
    catalog: rpc.input(CatalogInput).output(SqlCatalog),
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
      .input(z.object({ connection: ConnectionName, cols: z.number().int(), rows: z.number().int() }))
      .output(handle),
    /** One reader per terminal; output waits until it is read. */
    attach: rpc.input(handle).output(eventIterator(TerminalEvent)),
    write: rpc.input(handle.extend({ data: z.string() })),
    resize: rpc.input(handle.extend({ cols: z.number().int(), rows: z.number().int() })),
    close: rpc.input(handle),
  },
  desktop: {
    /** A desktop's tab. Asks the gateway and starts the program; `program` is remembered as the choice. */
    open: rpc.input(z.object({ connection: ConnectionName, program: DesktopProgramId.optional() })).output(handle),
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
