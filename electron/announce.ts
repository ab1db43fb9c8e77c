import { createRouterClient } from '@orpc/server'
import { app, type BrowserWindow, Menu, Notification, nativeImage, Tray } from 'electron'
import type { Core } from '../main/core.ts'
import type { Log } from '../main/log.ts'
import type { WaitingRequest } from '../shared/rpc/notice.ts'
import type { Desktop } from './desktop.ts'
import { dot, logo, type Picture, template } from './pictures.ts'
import { Telling } from './telling.ts'
import { trayMenu, waitingWords } from './tray.ts'

export interface AnnounceOptions {
  core: Core
  desktop: Desktop
  /** The window, while there is one: Windows marks its button on the taskbar. */
  window(): BrowserWindow | undefined
  log: Log
}

/** Notifications, the number on the dock, and the tray, through Electron, for as long as the app runs. */
export async function announce(options: AnnounceOptions): Promise<void> {
  const { core, desktop, log } = options
  const client = createRouterClient(core.router)
  const waiting = waitingMarks(options)
  const telling = new Telling({
    supported: () => Notification.isSupported(),
    notification: (shown) => new Notification(shown),
    buttons: process.platform === 'darwin' || process.platform === 'win32',
    watched: () => desktop.watched(),
    show: (link) => desktop.show(link),
    approve: async (id) => {
      await client.gateway.requests.approve({ id })
    },
    waiting,
    warn: (error, message) => log.warn({ err: error }, message),
  })
  for await (const event of await client.app.notices()) telling.tell(event)
}

/** How what waits is shown: the dock's or launcher's number, the taskbar's dot, the tray's menu. */
function waitingMarks({ desktop, window }: AnnounceOptions): (requests: readonly WaitingRequest[]) => void {
  const mac = process.platform === 'darwin'
  const tray = new Tray(image(mac ? template : logo))
  const mark = image(dot)
  tray.on('click', () => {
    // On macOS and Linux a click shows the menu.
    if (process.platform === 'win32') desktop.open()
  })
  return (requests) => {
    const count = requests.length
    app.setBadgeCount(count)
    const words = waitingWords(count)
    if (process.platform === 'win32') window()?.setOverlayIcon(count === 0 ? null : mark, count === 0 ? '' : words)
    tray.setToolTip(`Sallyport: ${words}`)
    if (mac) tray.setTitle(count === 0 ? '' : String(count))
    const act = { open: desktop.open, show: desktop.show, quit: () => app.quit() }
    tray.setContextMenu(Menu.buildFromTemplate(trayMenu(requests, act)))
  }
}

function image(picture: Picture) {
  const made = nativeImage.createFromBuffer(Buffer.from(picture.small, 'base64'), { scaleFactor: 1 })
  made.addRepresentation({ scaleFactor: 2, buffer: Buffer.from(picture.large, 'base64') })
  made.setTemplateImage(picture === template && process.platform === 'darwin')
  return made
}
