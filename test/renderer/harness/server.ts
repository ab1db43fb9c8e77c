import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { implement } from '@orpc/server'
import { RPCHandler } from '@orpc/server/ws'
import { WebSocketServer } from 'ws'
import { Pages } from '../../../main/pages.ts'
import { rpcContract, Settings } from '../../../shared/rpc/contract.ts'
import { desktopFixture } from './desktop.ts'
import { desktopPage } from './desktop-recording.ts'
import { editorFixture } from './editor.ts'
import * as data from './fixtures.ts'
import { openShell, type Shell } from './shell.ts'
import { planRows, runScript } from './sql.ts'
import { createFixture, type Fixture } from './state.ts'

/** Serves the built page and answers its calls from fixtures, over a real WebSocket. */
export async function startHarness(
  rendererDir: string,
): Promise<{ url: string; fixture: Fixture; close(): Promise<void> }> {
  const fixture = createFixture()
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://x').pathname)
    const file = join(rendererDir, path === '/' ? 'index.html' : path)
    readFile(file).then(
      (body) => {
        response.setHeader('content-type', types[extname(file)] ?? 'application/octet-stream')
        response.setHeader('content-security-policy', csp)
        response.end(body)
      },
      () => {
        response.statusCode = 404
        response.end()
      },
    )
  })
  const sockets = new WebSocketServer({ server, path: '/rpc' })
  const handler = new RPCHandler(router(fixture))
  sockets.on('connection', (socket) => void handler.upgrade(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    fixture,
    close: async () => {
      for (const socket of sockets.clients) socket.terminate()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const csp =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'"

const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.ttf': 'font/ttf',
}

function router(fixture: Fixture) {
  const os = implement(rpcContract)
  const shells = new Map<string, Shell>()
  const pages = new Pages(() => {})
  let count = 0
  /** With a second factor. */
  let proven = false
  const find = (id: string) => {
    const found = fixture.requests.get().find((r) => r.id === id)
    if (found === undefined) throw new Error(`no request ${id}`)
    return found
  }
  return os.router({
    app: {
      platform: os.app.platform.handler(() => ({
        shell: 'browser',
        os: 'mac',
        notifications: 'page',
        version: '0.1.0',
        gateway: 'https://gateway.harborline.example',
      })),
      settings: os.app.settings.handler(() => fixture.settings.get()),
      saveSettings: os.app.saveSettings.handler(({ input }) => {
        const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))
        fixture.settings.set(Settings.parse({ ...fixture.settings.get(), ...given }))
        return fixture.settings.get()
      }),
      saveDrafts: os.app.saveDrafts.handler(({ input }) => {
        fixture.settings.set({ ...fixture.settings.get(), workspace: input.drafts })
      }),
      openExternal: os.app.openExternal.handler(() => undefined),
      deepLinks: os.app.deepLinks.handler(async function* ({ signal }) {
        for await (const link of fixture.deepLinks.follow(signal)) if (link !== undefined) yield link
      }),
      link: os.app.link.handler(({ signal }) => fixture.link.follow(signal)),
      stay: os.app.stay.handler(({ input, signal }) => pages.stay(input.page, signal)),
      notices: os.app.notices.handler(({ signal }) => fixture.notices.follow(signal)),
      diagnostics: os.app.diagnostics.handler(() => data.diagnostics),
      saveDiagnostics: os.app.saveDiagnostics.handler(() => ({
        path: `/home/linus/Downloads/${data.diagnostics.name}`,
      })),
      update: os.app.update.handler(({ signal }) => fixture.update.follow(signal)),
      checkUpdate: os.app.checkUpdate.handler(() => fixture.update.set({ state: 'ready', version: '0.2.0' })),
      installUpdate: os.app.installUpdate.handler(() => undefined),
    },
    auth: {
      state: os.auth.state.handler(({ signal }) => fixture.auth.follow(signal)),
      discover: os.auth.discover.handler(({ input, errors }) => {
        if (input.gateway.includes('nowhere')) {
          throw errors.PROBLEM({
            data: { code: 'gateway-unreachable', message: 'No gateway answers at this address.', action: 'retry' },
          })
        }
        return { gateway: 'https://gateway.harborline.example', name: 'Harborline' }
      }),
      signIn: os.auth.signIn.handler(({ input }) => {
        fixture.auth.set({
          state: 'waiting',
          url: 'https://gateway.harborline.example/device',
          ...(input.flow === 'device' ? { code: 'KJ4-92P' } : {}),
          expiresAt: data.at(281_000),
        })
      }),
      cancel: os.auth.cancel.handler(() => fixture.auth.set({ state: 'signed-out' })),
      confirm: os.auth.confirm.handler(({ input }) => {
        proven = input.lack.maxAgeSeconds === 900
      }),
      signOut: os.auth.signOut.handler(() => fixture.auth.set({ state: 'signed-out' })),
    },
    gateway: {
      me: os.gateway.me.handler(() => ({
        principal: { ...data.people.linus, groups: [...data.people.linus.groups] },
        gateway: { name: 'Harborline', version: '0.1.0', url: 'https://gateway.harborline.example' },
        signInEndsAt: data.at(6 * 3600_000),
      })),
      connections: {
        list: os.gateway.connections.list.handler(() => fixture.connections.get()),
        schema: os.gateway.connections.schema.handler(() => data.schema),
      },
      sessions: {
        list: os.gateway.sessions.list.handler(({ input }) =>
          data.sessions.filter(
            (s) =>
              (input.state === undefined || s.state === input.state) &&
              (input.connection === undefined || s.connection.name === input.connection),
          ),
        ),
        get: os.gateway.sessions.get.handler(({ input, errors }) => {
          const found = data.sessions.find((s) => s.id === input.id)
          if (found === undefined) throw errors.NOT_FOUND({ message: 'No such session.' })
          return found
        }),
        kill: os.gateway.sessions.kill.handler(({ errors }) => {
          throw errors.FORBIDDEN({ message: 'Only on-call may end a session.' })
        }),
      },
      recordings: {
        read: os.gateway.recordings.read.handler(({ input }) =>
          input.id === 'ses-desk'
            ? desktopPage(input)
            : {
                manifest: {
                  version: 1,
                  session: input.id,
                  principal: { ...data.people.ada, groups: ['engineers'] },
                  connection: { name: 'web-1', kind: 'ssh', environment: 'production', tags: [] },
                  startedAt: data.at(-3600_000),
                  cols: 100,
                  rows: 24,
                  chunks: [1, 2, 3].map((chunk) => ({ chunk, sha256: 'a'.repeat(64), bytes: 1000, events: 5 })),
                },
                events: [...(input.id === 'ses-ssh' ? data.sshRecording : fixture.sqlRecording.get())],
                live: false,
              },
        ),
        verify: os.gateway.recordings.verify.handler(({ input }) => ({
          ok: input.id !== 'ses-live',
          checked: 1284,
          problems: input.id === 'ses-live' ? ['chunk 2 does not have the hash that chunk 3 names'] : [],
          firstHash: `41c8${'0'.repeat(56)}9e02`,
          lastHash: `0c5e${'0'.repeat(56)}d774`,
        })),
      },
      requests: {
        list: os.gateway.requests.list.handler(() => [...fixture.requests.get()]),
        get: os.gateway.requests.get.handler(({ input }) => find(input.id)),
        create: os.gateway.requests.create.handler(({ input }) =>
          fixture.addRequest({
            ...find('req-2'),
            id: `req-new-${fixture.requests.get().length}`,
            requester: { ...data.people.linus, groups: [...data.people.linus.groups] },
            canReview: false,
            actions: input.actions,
            dataClasses: input.dataClasses,
            durationSeconds: input.durationSeconds,
            reason: input.reason,
          }),
        ),
        approve: os.gateway.requests.approve.handler(({ input }) => fixture.decide(input.id, 'approve', input.reason)),
        deny: os.gateway.requests.deny.handler(({ input }) => fixture.decide(input.id, 'deny', input.reason)),
        cancel: os.gateway.requests.cancel.handler(({ input }) => fixture.cancel(input.id)),
        decide: os.gateway.requests.decide.handler(({ input, errors }) => {
          if (input.reason === 'unproven' && !proven) {
            throw errors.STEP_UP({
              message: 'This takes a sign-in with a second factor.',
              data: { maxAgeSeconds: 900 },
            })
          }
          return input.ids.map((id) => ({ id, ok: true, request: fixture.decide(id, input.verdict, input.reason) }))
        }),
        remind: os.gateway.requests.remind.handler(({ input }) => fixture.remind(input.id)),
        explain: os.gateway.requests.explain.handler(({ input }) => ({ ...find(input.id), reason: input.reason })),
        breakGlass: os.gateway.requests.breakGlass.handler(({ input }) => find(input.id)),
        afterReview: os.gateway.requests.afterReview.handler(({ input }) => find(input.id)),
        count: os.gateway.requests.count.handler(({ input }) => fixture.count(input.id)),
        history: os.gateway.requests.history.handler(() => ({ requests: [...fixture.requests.get()] })),
        metrics: os.gateway.requests.metrics.handler(() => data.metrics()),
      },
      grants: {
        list: os.gateway.grants.list.handler(() => [data.grant]),
        revoke: os.gateway.grants.revoke.handler(() => data.grant),
        giveBack: os.gateway.grants.giveBack.handler(() => data.grant),
      },
      identities: {
        list: os.gateway.identities.list.handler(() =>
          Object.values(data.people).map((p) => ({ id: p.id, name: p.name, kind: 'user', groups: [...p.groups] })),
        ),
      },
      explain: os.gateway.explain.handler(({ input }) => ({
        statements: [
          {
            start: 0,
            end: input.text.length,
            action: 'sql:update',
            decision: { verdict: 'hold', policy: data.policies.write, approval: data.approval },
            masks: [],
            tables: [],
          },
        ],
      })),
    },
    events: os.events.handler(({ signal }) => fixture.events(signal)),
    sql: {
      open: os.sql.open.handler(() => {
        count += 1
        return { id: `sql-${count}`, environment: 'production' }
      }),
      run: os.sql.run.handler(({ input, signal }) => runScript(input, fixture, signal)),
      rows: os.sql.rows.handler(({ input: { result, from, to } }) => {
        const [kind] = result.split('-')
        return kind === 'plan' || kind === 'measure' ? planRows(kind) : fixture.rows(from, to)
      }),
      endTransaction: os.sql.endTransaction.handler(() => ({ state: 'none' as const })),
      ends: os.sql.ends.handler(async function* () {}),
      renew: os.sql.renew.handler(() => undefined),
      cancel: os.sql.cancel.handler(() => fixture.cancelRun()),
      export: os.sql.export.handler(({ signal }) => fixture.exported(signal)),
      saveCell: os.sql.saveCell.handler(({ signal }) => fixture.exported(signal)),
      rearrange: os.sql.rearrange.handler(({ input, errors }) => {
        const masked = [...input.sort, ...input.filters].find(({ column }) => input.columns[column]?.masked)
        if (masked !== undefined) {
          const message = `${input.columns[masked.column]?.name} is masked.`
          throw errors.PROBLEM({ data: { code: 'bad-input', message, action: 'none' } })
        }
        return { text: `SELECT * FROM (\n${input.text}\n) AS result` }
      }),
      release: os.sql.release.handler(() => undefined),
      close: os.sql.close.handler(() => undefined),
    },
    editor: editorFixture(),
    terminal: {
      open: os.terminal.open.handler(() => {
        count += 1
        shells.set(`term-${count}`, openShell())
        return { id: `term-${count}` }
      }),
      attach: os.terminal.attach.handler(({ input, signal }) => {
        const shell = shells.get(input.id)
        if (shell === undefined) throw new Error('no such terminal')
        return shell.events(signal)
      }),
      write: os.terminal.write.handler(({ input }) => shells.get(input.id)?.write(input.data)),
      resize: os.terminal.resize.handler(() => undefined),
      close: os.terminal.close.handler(({ input }) => shells.get(input.id)?.end()),
    },
    desktop: desktopFixture(fixture.desktop),
    endpoints: {
      list: os.endpoints.list.handler(() => fixture.endpoints.get()),
      open: os.endpoints.open.handler(({ input }) => fixture.openEndpoint(input.connection, input.port)),
      close: os.endpoints.close.handler(({ input }) =>
        fixture.setEndpoint(input.connection, { open: false, clients: 0 }),
      ),
      configure: os.endpoints.configure.handler(({ input: { connection, port, atStart } }) =>
        fixture.setEndpoint(connection, {
          ...(port === undefined ? {} : { port }),
          ...(atStart === undefined ? {} : { atStart }),
        }),
      ),
      changes: os.endpoints.changes.handler(async function* ({ signal }) {
        for await (const list of fixture.endpoints.follow(signal)) yield* list
      }),
    },
  })
}
