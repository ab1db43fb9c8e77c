import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Connection } from '../shared/api/models.ts'
import type { StepUp } from '../shared/api/problem.ts'
import type { Endpoint, ExportEvent, ExportFormat } from '../shared/rpc/contract.ts'
import type { DesktopProgramId } from '../shared/rpc/desktop.ts'
import type { DefinitionInput, SqlCatalog } from '../shared/rpc/editor.ts'
import { Endpoints, type EndpointTarget } from './endpoints/endpoints.ts'
import { plannedPort } from './endpoints/ports.ts'
import { cancelStatement } from './gateway/cancel.ts'
import { asked } from './gateway/client.ts'
import { openSession } from './gateway/session.ts'
import { fail, messageOf } from './problem.ts'
import { findPrograms } from './rdp/find.ts'
import { choose, viewerProgram } from './rdp/programs.ts'
import { DesktopSession } from './rdp/session.ts'
import type { Saver } from './save.ts'
import type { SettingsStore } from './settings.ts'
import type { SignedIn } from './sign-in/person.ts'
import { confirmed } from './sign-in/step-up.ts'
import { Catalogs } from './sql/catalog.ts'
import { exportCell, exportResult } from './sql/export/export.ts'
import { Library } from './sql/library.ts'
import { SqlLink } from './sql/link.ts'
import { ResultStore } from './sql/result.ts'
import { SqlSession } from './sql/session.ts'
import { TerminalSession } from './terminal/session.ts'
import { Broadcast } from './watched.ts'

export interface WorkOptions {
  dataDir: string
  settings: SettingsStore
  /** Who is signed in; throws when nobody is. Asked anew for each session, so that work outlives a sign-in. */
  who(): SignedIn
  /** Has the person prove again who they are; see `Account.confirm`. */
  confirm(lack: StepUp, why: string, signal?: AbortSignal): Promise<void>
  /** How files for the person are saved. */
  saver: Saver
  warn(message: string): void
}

/** What one person has open: SQL sessions, terminals and local endpoints, by handle. All of it ends together. */
export class Work {
  private readonly options: WorkOptions
  private readonly sql = new Map<string, SqlSession>()
  private readonly terminals = new Map<string, TerminalSession>()
  private readonly desktops = new Map<string, DesktopSession>()
  /** The page that opened it, by handle. */
  private readonly openers = new Map<string, string>()
  private readonly endpoints: Endpoints
  private readonly catalogs: Catalogs
  private readonly libraries = new Map<string, Library>()
  /** Ports shown for endpoints that were never opened, so that each has its own. */
  private readonly planned = new Map<string, number>()
  /** Each endpoint that changes. */
  readonly endpointChanges = new Broadcast<Endpoint>()

  constructor(options: WorkOptions) {
    this.options = options
    const { settings, who } = options
    this.catalogs = new Catalogs({
      open: async (name) => {
        const { database } = await asked(who().api.connections.get({ name }))
        const { stream } = await openSession(who(), name, {
          door: 'desktop',
          annotations: 'machine',
          purpose: 'catalog',
        })
        return SqlLink.open(stream, who().person.id, database ?? name)
      },
      tables: (name) => asked(who().api.connections.schema({ name })),
    })
    this.endpoints = new Endpoints({
      dial: async (connection) =>
        (await openSession(options.who(), connection, { door: 'endpoint', annotations: 'text' })).stream,
      cancel: (connection, key) => cancelStatement(options.who(), connection, key),
      port: (connection) => settings.port(settings.get().gateway, connection),
      savePort: (connection, port) => settings.savePort(settings.get().gateway, connection, port),
      plan: (target) => this.plan(target),
      ports: () => settings.ports(),
      atStart: (connection) => settings.atStart(settings.get().gateway, connection),
      changed: (endpoint) => this.endpointChanges.emit(endpoint),
      warn: options.warn,
    })
  }

  /** Opens what a person asked for; where policy wants a better sign-in for it, after that. */
  private enter<T>(open: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return confirmed(open, ({ stepUp, message }) => this.options.confirm(stepUp, message, signal))
  }

  async openSql(name: string, page?: string): Promise<{ id: string; environment: Connection['environment'] }> {
    const { who, dataDir, warn } = this.options
    const library = this.library()
    const connection = await asked(who().api.connections.get({ name }))
    if (connection.kind !== 'postgres') throw fail('bad-input', `${name} is no database.`)
    const spool = join(dataDir, 'spool')
    const session = new SqlSession({
      dial: async (signal) =>
        (await this.enter(() => openSession(who(), name, { door: 'desktop', annotations: 'machine' }, signal), signal))
          .stream,
      cancel: (key) => cancelStatement(who(), name, key),
      user: who().person.id,
      database: connection.database ?? name,
      newResult: () => new ResultStore(spool),
      typeName: (oid) => this.catalogs.typeName(name, oid),
      onRan: (ran) => {
        library.add(name, ran).catch((error: unknown) => warn(`The history was not kept: ${messageOf(error)}`))
      },
    })
    const id = randomUUID()
    this.sql.set(id, session)
    this.openedBy(id, page)
    return { id, environment: connection.environment }
  }

  /** History and saved queries of whoever is signed in. */
  library(): Library {
    const { who, dataDir, settings, warn } = this.options
    const owner = { gateway: settings.get().gateway, person: who().person.id }
    const key = JSON.stringify(owner)
    const library = this.libraries.get(key) ?? new Library({ dataDir, owner, warn })
    this.libraries.set(key, library)
    return library
  }

  /** What a connection's database holds; read anew with `refresh`. */
  catalog(connection: string, refresh: boolean): Promise<SqlCatalog> {
    return this.catalogs.get(connection, refresh)
  }

  /** The definition of a function or view, read anew each time. */
  definition(connection: string, of: DefinitionInput['of']): Promise<string> {
    return this.catalogs.definition(connection, of)
  }

  sqlSession(id: string): SqlSession {
    const session = this.sql.get(id)
    if (session === undefined) throw gone('SQL session')
    return session
  }

  result(id: string): ResultStore {
    for (const session of this.sql.values()) {
      const result = session.result(id)
      if (result !== undefined) return result
    }
    throw gone('result')
  }

  /** Saves a result as a file. Only for who is signed in: what was let through to them is theirs while that lasts. */
  exportResult(
    request: { result: string; format: ExportFormat; name: string; partial: boolean },
    signal?: AbortSignal,
  ): AsyncGenerator<ExportEvent, void, void> {
    this.options.who()
    const { result, ...rest } = request
    return exportResult({ ...rest, store: this.result(result), saver: this.options.saver }, signal)
  }

  /** Saves one value of a result as a file. */
  exportCell(
    place: { result: string; row: number; column: number },
    signal?: AbortSignal,
  ): AsyncGenerator<ExportEvent, void, void> {
    this.options.who()
    const { result, ...cell } = place
    return exportCell({ ...cell, store: this.result(result), saver: this.options.saver }, signal)
  }

  async release(result: string): Promise<void> {
    await Promise.all([...this.sql.values()].map((session) => session.release(result)))
  }

  async closeSql(id: string): Promise<void> {
    const session = this.sql.get(id)
    this.openers.delete(id)
    this.sql.delete(id)
    await session?.close()
  }

  openTerminal(
    connection: string,
    { cols, rows, page }: { cols: number; rows: number; page?: string | undefined },
  ): string {
    const { who } = this.options
    const terminal = new TerminalSession({
      dial: (signal) =>
        this.enter(() => openSession(who(), connection, { door: 'desktop', annotations: 'machine' }, signal), signal),
      user: who().person.id,
      cols,
      rows,
    })
    const id = randomUUID()
    this.terminals.set(id, terminal)
    this.openedBy(id, page)
    return id
  }

  terminal(id: string): TerminalSession {
    const terminal = this.terminals.get(id)
    if (terminal === undefined) throw gone('terminal')
    return terminal
  }

  closeTerminal(id: string): void {
    this.terminals.get(id)?.close()
    this.terminals.delete(id)
    this.openers.delete(id)
  }

  /** Opens a desktop's tab and launches it at once. */
  async openDesktop(name: string, wanted: DesktopProgramId | undefined, page?: string): Promise<string> {
    const { who, dataDir, warn, settings } = this.options
    const connection = await asked(who().api.connections.get({ name }))
    if (connection.kind !== 'rdp') throw fail('bad-input', `${name} is no desktop.`)
    const { platform, env } = process
    const programs = [...(await findPrograms({ platform, env })), viewerProgram]
    const desktop = new DesktopSession({
      connection,
      programs,
      program: choose(programs, wanted ?? settings.get().desktopProgram),
      open: (said, signal) =>
        this.enter(() => openSession(who(), name, { door: 'desktop', annotations: 'machine' }, signal, said), signal),
      dataDir,
      platform,
      env,
      warn,
    })
    const id = randomUUID()
    this.desktops.set(id, desktop)
    this.openedBy(id, page)
    void desktop.launch()
    return id
  }

  desktop(id: string): DesktopSession {
    const desktop = this.desktops.get(id)
    if (desktop === undefined) throw gone('desktop')
    return desktop
  }

  /** Another program is remembered as the person's choice. */
  async launchDesktop(id: string, wanted: DesktopProgramId | undefined): Promise<void> {
    const desktop = this.desktop(id)
    if (wanted !== undefined) await this.options.settings.save({ desktopProgram: wanted })
    void desktop.launch(wanted)
  }

  closeDesktop(id: string): void {
    this.desktops.get(id)?.end()
    this.desktops.delete(id)
    this.openers.delete(id)
  }

  async listEndpoints(): Promise<Endpoint[]> {
    const { api, person } = this.options.who()
    const connections = await asked(api.connections.list())
    return connections.map((connection) => this.endpoints.describe(targetOf(connection, person.id)))
  }

  /** Those that are open, or should be, without asking the gateway. */
  usedEndpoints(): Endpoint[] {
    return this.endpoints.list()
  }

  async openEndpoint(name: string, port?: number): Promise<Endpoint> {
    return this.endpoints.open(await this.target(name), port)
  }

  async closeEndpoint(name: string): Promise<Endpoint> {
    return this.endpoints.close(await this.target(name))
  }

  /** Another fixed port, or whether it opens at start. */
  async configureEndpoint(name: string, change: { port?: number; atStart?: boolean }): Promise<Endpoint> {
    const target = await this.target(name)
    const { settings } = this.options
    const { gateway } = settings.get()
    if (change.port !== undefined) {
      if (this.endpoints.describe(target).open) {
        throw fail('conflict', `The port of ${name} is open.`, { hint: 'Close it, then choose another.' })
      }
      const { port } = change
      const owner = settings.portOwner(gateway, port) ?? name
      if (owner !== name) {
        throw fail('conflict', `Port ${port} is that of ${owner}.`, {
          hint: 'Choose another, or change that one first.',
        })
      }
      await settings.savePort(gateway, name, port)
      // It was to be open, and the port that was in its way is another's now.
      if (this.endpoints.describe(target).problem !== undefined) await this.endpoints.open(target)
    }
    if (change.atStart !== undefined) await settings.saveAtStart(gateway, name, change.atStart)
    return this.endpoints.tell(target)
  }

  private plan({ connection, kind }: EndpointTarget): number {
    const known = this.planned.get(connection)
    if (known !== undefined && !this.options.settings.ports().has(known)) return known
    const port = plannedPort(kind, new Set([...this.options.settings.ports(), ...this.planned.values()]))
    this.planned.set(connection, port)
    return port
  }

  /** Opens the endpoints that are to be open from the start, once the gateway says where one may still go. */
  openEndpointsAtStart(signal: AbortSignal): Promise<void> {
    const { settings } = this.options
    const wanted = async () => {
      const { api, person } = this.options.who()
      const connections = await asked(api.connections.list())
      return connections
        .filter((c) => c.access === 'open' && settings.atStart(settings.get().gateway, c.name))
        .map((connection) => targetOf(connection, person.id))
    }
    return this.endpoints.openAll(wanted, signal)
  }

  private async target(name: string): Promise<EndpointTarget> {
    const { api, person } = this.options.who()
    return targetOf(await asked(api.connections.get({ name })), person.id)
  }

  private openedBy(id: string, page: string | undefined): void {
    if (page !== undefined) this.openers.set(id, page)
  }

  /** Closes what a page had opened, which is gone. */
  async closeOf(page: string): Promise<void> {
    const theirs = [...this.openers].filter(([, opener]) => opener === page).map(([id]) => id)
    for (const id of theirs) {
      this.closeTerminal(id)
      this.closeDesktop(id)
    }
    await Promise.all(theirs.map((id) => this.closeSql(id)))
  }

  /** Ends everything. The Work can be used again afterwards, by whoever is signed in then. */
  async closeAll(): Promise<void> {
    for (const id of [...this.terminals.keys()]) this.closeTerminal(id)
    for (const id of [...this.desktops.keys()]) this.closeDesktop(id)
    await Promise.all([...this.sql.keys()].map((id) => this.closeSql(id)))
    this.catalogs.forget()
    await Promise.all([...this.libraries.values()].map((library) => library.close()))
    await this.endpoints.closeAll()
    this.planned.clear()
  }
}

function gone(what: string): Error {
  return fail('session-ended', `This ${what} is closed.`, { action: 'reconnect' })
}

/** What native tools are told for a connection: their own user name means nothing to the inspector, but they need one. */
export function targetOf(connection: Connection, user: string): EndpointTarget {
  const { name, kind, database } = connection
  return { connection: name, kind, user, ...(kind === 'postgres' ? { database: database ?? name } : {}) }
}
