import { join } from 'node:path'
import { createRouterClient } from '@orpc/server'
import { RPCHandler } from '@orpc/server/message-port'
import {
  app,
  BrowserWindow,
  dialog,
  ipcMain,
  Menu,
  MessageChannelMain,
  type MessagePortMain,
  nativeTheme,
  protocol,
  safeStorage,
  session,
  shell,
} from 'electron'
import electronUpdater from 'electron-updater'
import { pino } from 'pino'
import { type Core, createCore } from '../main/core.ts'
import { announce } from './announce.ts'
import { type Desktop, startDesktop } from './desktop.ts'
import { menuTemplate } from './menu.ts'
import { brokerPorts } from './ports.ts'
import { openPages, pageScheme, schemePrivileges } from './protocol.ts'
import { dialogSaver } from './save.ts'
import { keychainSecrets, type SafeStorage } from './secrets.ts'
import { isWebAddress, lockContents, lockSession } from './security.ts'
import { packagedKey } from './update-key.ts'
import { releaseKey } from './update-signature.ts'
import { desktopUpdates } from './updates.ts'
import { windowOptions } from './window.ts'
import { createZoom } from './zoom.ts'

/** The desktop app's main process: Electron's own parts, put together. What it decides is in the modules beside it. */

const log = pino({ level: 'info' })
const mac = process.platform === 'darwin'
const developer = !app.isPackaged
const gateway = app.commandLine.getSwitchValue('gateway')
const dataDir = app.commandLine.getSwitchValue('data')

// Both must come before the app is ready.
protocol.registerSchemesAsPrivileged([schemePrivileges])
app.enableSandbox()
if (dataDir !== '') app.setPath('userData', dataDir)

/** The zoom of the settings, in every window. */
const zoom = createZoom(() => BrowserWindow.getAllWindows().map((window) => window.webContents))

/** Whatever contents come to be, they are locked before they load. */
app.on('web-contents-created', (_event, contents) => {
  lockContents(contents)
  zoom.keep(contents)
})

async function openExternal(url: string): Promise<void> {
  if (!isWebAddress(url)) throw new Error('Only web addresses are opened.')
  await shell.openExternal(url)
}

async function assemble(): Promise<Core> {
  const pages = await openPages(join(import.meta.dirname, '..', '..', 'renderer', 'dist'))
  lockSession(session.defaultSession)
  protocol.handle(pageScheme, pages)
  const userData = app.getPath('userData')
  const key = app.isPackaged ? await packagedKey(app.getAppPath()) : undefined
  const updates =
    key === undefined ? undefined : desktopUpdates({ updater: electronUpdater.autoUpdater, key: releaseKey(key), log })
  const core = await createCore({
    dataDir: userData,
    secrets: keychainSecrets(keychain(), join(userData, 'secrets'), (message) => log.warn(message)),
    shell: 'electron',
    version: app.getVersion(),
    ...(gateway === '' ? {} : { gateway }),
    openExternal,
    ...(updates === undefined ? {} : { updates }),
    downloadsDir: app.getPath('downloads'),
    onSettings: (settings) => {
      zoom.apply(settings.zoom)
      updates?.follow(settings.updates)
    },
    saver: dialogSaver(dialog, app.getPath('downloads')),
    log,
  })
  const client = createRouterClient(core.router)
  const zoomTo = (factor: number): void => {
    client.app
      .saveSettings({ zoom: factor })
      .catch((error: unknown) => log.warn({ err: error }, 'the zoom was not saved'))
  }
  Menu.setApplicationMenu(
    Menu.buildFromTemplate(menuTemplate({ mac, developer, zoom: (step) => zoomTo(zoom.next(step)) })),
  )
  const handler = new RPCHandler(core.router)
  brokerPorts<MessagePortMain>({
    ipc: ipcMain,
    channel: () => new MessageChannelMain(),
    serve: (port) => {
      handler.upgrade(port)
      port.start()
    },
  })
  if (desktop !== undefined) {
    announce({ core, desktop, window: () => BrowserWindow.getAllWindows()[0], log }).catch((error: unknown) =>
      log.error({ err: error }, 'system notifications stopped'),
    )
  }
  return core
}

/** Linux alone has backends to ask about; elsewhere the method is not there. */
function keychain(): SafeStorage {
  return {
    isEncryptionAvailable: () => safeStorage.isEncryptionAvailable(),
    encryptString: (plain) => safeStorage.encryptString(plain),
    decryptString: (sealed) => safeStorage.decryptString(sealed),
    ...(process.platform === 'linux'
      ? { getSelectedStorageBackend: () => safeStorage.getSelectedStorageBackend() }
      : {}),
  }
}

const desktop: Desktop | undefined = startDesktop({
  app,
  argv: process.argv,
  mac,
  packaged: app.isPackaged,
  createWindow: () =>
    new BrowserWindow(
      windowOptions(join(import.meta.dirname, 'preload.cjs'), nativeTheme.shouldUseDarkColors, developer),
    ),
  createCore: assemble,
  fatal: (title, message) => dialog.showErrorBox(title, message),
  log,
})
