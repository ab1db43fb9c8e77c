import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import type { Core } from '../main/core.ts'
import type { DeepLink } from '../shared/rpc/contract.ts'
import { type DesktopApp, type DesktopOptions, startDesktop } from './desktop.ts'
import type { AppWindow } from './window.ts'

class FakeWindow extends EventEmitter implements AppWindow {
  calls: string[] = []
  minimized = false
  destroyed = false
  reloads = 0
  readonly webContents: AppWindow['webContents'] & EventEmitter = Object.assign(new EventEmitter(), {
    setWindowOpenHandler: () => undefined,
    reload: () => {
      this.reloads += 1
    },
  })
  show(): void {
    this.calls.push('show')
  }
  focus(): void {
    this.calls.push('focus')
  }
  restore(): void {
    this.calls.push('restore')
  }
  isMinimized(): boolean {
    return this.minimized
  }
  isFocused(): boolean {
    return true
  }
  isDestroyed(): boolean {
    return this.destroyed
  }
  async loadURL(url: string): Promise<void> {
    this.calls.push(url)
  }
}

function start(
  change: {
    first?: boolean
    argv?: string[]
    mac?: boolean
    packaged?: boolean
    createCore?: () => Promise<Core>
  } = {},
) {
  const emitter = new EventEmitter()
  const log: string[] = []
  const links: DeepLink[] = []
  const windows: FakeWindow[] = []
  const app: DesktopApp = Object.assign(emitter, {
    requestSingleInstanceLock: () => change.first ?? true,
    setAsDefaultProtocolClient: (scheme: string) => log.push(`register ${scheme}`) > 0,
    whenReady: async () => undefined,
    quit: () => {
      let prevented = false
      emitter.emit('before-quit', { preventDefault: () => (prevented = true) })
      if (!prevented) log.push('quit')
    },
    exit: (code: number) => void log.push(`exit ${code}`),
  })
  const core: Core = Object.assign(Object.create(null), {
    openDeepLink: (link: DeepLink) => void links.push(link),
    close: async () => void log.push('core closed'),
  })
  const options: DesktopOptions = {
    app,
    argv: change.argv ?? ['sallyport'],
    mac: change.mac ?? false,
    packaged: change.packaged ?? true,
    createWindow: () => {
      const window = new FakeWindow()
      windows.push(window)
      return window
    },
    createCore: change.createCore ?? (async () => core),
    fatal: (title, message) => void log.push(`${title}: ${message}`),
    log: { info: () => undefined, warn: (_about, message) => void log.push(message), error: () => undefined },
  }
  const desktop = startDesktop(options)
  return { emitter, log, links, windows, desktop, settled: () => new Promise((resolve) => setImmediate(resolve)) }
}

test('opens one window on the page once the core is there, and shows it when it is drawn', async () => {
  const { windows, log, settled } = start()
  expect(windows).toHaveLength(0)
  await settled()
  expect(windows).toHaveLength(1)
  expect(windows[0]?.calls).toEqual(['app://sallyport/index.html'])
  windows[0]?.emit('ready-to-show')
  expect(windows[0]?.calls.at(-1)).toBe('show')
  expect(log).toEqual(['register sallyport'])
})

test('a second instance quits; the first shows its link in the window that is there', async () => {
  expect(start({ first: false })).toMatchObject({ desktop: undefined, log: ['quit'] })
  const { emitter, windows, links, settled } = start()
  await settled()
  if (windows[0] !== undefined) windows[0].minimized = true
  emitter.emit('second-instance', {}, ['sallyport', 'sallyport://request/r1'])
  expect(links).toEqual([{ to: 'request', id: 'r1' }])
  expect(windows).toHaveLength(1)
  expect(windows[0]?.calls.slice(-3)).toEqual(['restore', 'show', 'focus'])
  emitter.emit('second-instance', {}, ['sallyport', 'sallyport://request/r1?approve'])
  expect(links).toHaveLength(1)
})

test('a link that came before the core is kept, from arguments or from the system', async () => {
  const byArgument = start({ argv: ['sallyport', 'sallyport://connection/orders-db'] })
  await byArgument.settled()
  expect(byArgument.links).toEqual([{ to: 'connection', name: 'orders-db' }])
  const bySystem = start({ mac: true })
  let prevented = false
  bySystem.emitter.emit('open-url', { preventDefault: () => (prevented = true) }, 'sallyport://session/s1')
  await bySystem.settled()
  expect(prevented).toBe(true)
  expect(bySystem.links).toEqual([{ to: 'session', id: 's1' }])
})

test('a working copy does not register the scheme for the bare runtime', () => {
  expect(start({ packaged: false }).log).toEqual([])
})

test('quitting closes the core first, once', async () => {
  const { emitter, log, settled } = start({ packaged: false })
  await settled()
  emitter.emit('window-all-closed')
  await settled()
  expect(log).toEqual(['core closed', 'quit'])
})

test('on a Mac the app stays when its window closes, and opens another', async () => {
  const { emitter, log, windows, settled } = start({ mac: true, packaged: false })
  await settled()
  if (windows[0] !== undefined) windows[0].destroyed = true
  windows[0]?.emit('closed')
  emitter.emit('window-all-closed')
  await settled()
  expect(log).toEqual([])
  emitter.emit('activate')
  expect(windows).toHaveLength(2)
})

test('what keeps it from starting is said, and it does not linger', async () => {
  const { log, windows, settled } = start({
    packaged: false,
    createCore: () => Promise.reject(new Error('pages are not built')),
  })
  await settled()
  expect(log).toEqual(['Sallyport could not start: pages are not built', 'exit 1'])
  expect(windows).toHaveLength(0)
})

test('a page that crashes is loaded again, three times', async () => {
  const { windows, settled } = start()
  await settled()
  for (let i = 0; i < 6; i += 1) windows[0]?.webContents.emit('render-process-gone', {}, { reason: 'crashed' })
  expect(windows[0]?.reloads).toBe(3)
})
