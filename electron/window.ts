import type { BrowserWindowConstructorOptions } from 'electron'
import { pageUrl } from './protocol.ts'
import { type LockableContents, lockContents } from './security.ts'

/** The parts of BrowserWindow that are used. */
export interface AppWindow {
  readonly webContents: LockableContents & {
    on(event: 'render-process-gone', listener: (event: unknown, details: { reason: string }) => void): unknown
    reload(): void
  }
  once(event: 'ready-to-show', listener: () => void): unknown
  on(event: 'closed', listener: () => void): unknown
  show(): void
  focus(): void
  restore(): void
  isMinimized(): boolean
  isFocused(): boolean
  isDestroyed(): boolean
  loadURL(url: string): Promise<void>
}

/** Sandboxed, isolated, without Node: the page is treated as one that an attacker may come to run script in. */
export function windowOptions(preload: string, dark: boolean, developer: boolean): BrowserWindowConstructorOptions {
  return {
    width: 1440,
    height: 900,
    minWidth: 900,
    minHeight: 560,
    show: false,
    title: 'Sallyport',
    // The page's own base colours, so that nothing flashes before it is drawn.
    backgroundColor: dark ? '#0f1115' : '#ffffff',
    webPreferences: {
      preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      safeDialogs: true,
      spellcheck: false,
      devTools: developer,
    },
  }
}

/** A page that crashes is loaded again, with its drafts; one that goes on crashing is left alone. */
const maxReloads = 3

/** Opens the page in a new window. `warn` hears of a page that crashed. Resolves once the page is loaded. */
export async function openWindow(window: AppWindow, warn: (message: string) => void): Promise<void> {
  lockContents(window.webContents)
  window.once('ready-to-show', () => window.show())
  let reloads = 0
  window.webContents.on('render-process-gone', (_event, { reason }) => {
    if (reason === 'clean-exit' || window.isDestroyed()) return
    reloads += 1
    warn(`The page ended (${reason})${reloads > maxReloads ? ' again, and is left so.' : ' and is loaded again.'}`)
    if (reloads <= maxReloads) window.webContents.reload()
  })
  await window.loadURL(pageUrl)
}

/** Brings a window to the front. */
export function present(window: AppWindow): void {
  if (window.isMinimized()) window.restore()
  window.show()
  window.focus()
}
