import type { Core } from '../main/core.ts'
import type { Log } from '../main/log.ts'
import { deepLinkAmong, deepLinkScheme, parseDeepLink } from '../shared/deep-link.ts'
import type { DeepLink } from '../shared/rpc/contract.ts'
import { type AppWindow, openWindow, present } from './window.ts'

/** The parts of Electron's app that are used; Electron's own fits. */
export interface DesktopApp {
  requestSingleInstanceLock(): boolean
  setAsDefaultProtocolClient(scheme: string): boolean
  whenReady(): Promise<void>
  quit(): void
  exit(code: number): void
  on(event: 'second-instance', listener: (event: unknown, argv: string[]) => void): unknown
  on(event: 'open-url', listener: (event: { preventDefault(): void }, url: string) => void): unknown
  on(event: 'window-all-closed' | 'activate', listener: () => void): unknown
  on(event: 'before-quit', listener: (event: { preventDefault(): void }) => void): unknown
}

export interface DesktopOptions {
  app: DesktopApp
  argv: readonly string[]
  mac: boolean
  /** A packaged app registers the scheme; a working copy would register the bare runtime. */
  packaged: boolean
  createWindow(): AppWindow
  /** Called once, when the app is ready: locks the session, serves the pages, makes the core. */
  createCore(): Promise<Core>
  fatal(title: string, message: string): void
  log: Log
}

/** The life of the app: one instance, one core, a window, and links that find them. */
export interface Desktop {
  /** Shows a view in the window, which is opened if there is none. */
  show(link: DeepLink): void
  /** Brings the window to the front, or opens one. */
  open(): void
  /** True while the person looks at the window. */
  watched(): boolean
}

/** Undefined when another instance runs: it has been handed the link, and this one quits. */
export function startDesktop(options: DesktopOptions): Desktop | undefined {
  const { app, log } = options
  if (!app.requestSingleInstanceLock()) {
    app.quit()
    return undefined
  }
  if (options.packaged) app.setAsDefaultProtocolClient(deepLinkScheme)

  let core: Core | undefined
  let window: AppWindow | undefined
  let early = deepLinkAmong(options.argv)
  let closing = false

  const open = (): void => {
    if (core === undefined || closing) return
    if (window !== undefined && !window.isDestroyed()) {
      present(window)
      return
    }
    const made = options.createWindow()
    window = made
    made.on('closed', () => {
      if (window === made) window = undefined
    })
    openWindow(made, (message) => log.warn({}, message)).catch((error: unknown) => {
      if (!made.isDestroyed()) options.fatal('Sallyport could not open its window', words(error))
    })
  }
  const show = (link: DeepLink): void => {
    if (core === undefined) early = link
    else core.openDeepLink(link)
    open()
  }

  app.on('second-instance', (_event, argv) => {
    const link = deepLinkAmong(argv)
    if (link === undefined) open()
    else show(link)
  })
  app.on('open-url', (event, url) => {
    event.preventDefault()
    // What is no link still was meant for the app: it comes to the front.
    const link = parseDeepLink(url)
    if (link === undefined) open()
    else show(link)
  })
  app.on('activate', open)
  app.on('window-all-closed', () => {
    if (!options.mac) app.quit()
  })
  app.on('before-quit', (event) => {
    if (core === undefined || closing) return
    // Sessions and local endpoints are closed in order, not cut.
    event.preventDefault()
    closing = true
    core
      .close()
      .catch((error: unknown) => log.error({ err: error }, 'the client core did not close cleanly'))
      .finally(() => app.quit())
  })

  app
    .whenReady()
    .then(() => options.createCore())
    .then((made) => {
      core = made
      if (early !== undefined) made.openDeepLink(early)
      open()
    })
    .catch((error: unknown) => {
      options.fatal('Sallyport could not start', words(error))
      app.exit(1)
    })

  return { show, open, watched: () => window !== undefined && !window.isDestroyed() && window.isFocused() }
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
