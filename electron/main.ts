import { join } from 'node:path'
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
import { windowOptions } from './window.ts'

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

/** Whatever contents come to be, they are locked before they load. */
app.on('web-contents-created', (_event, contents) => lockContents(contents))

async function openExternal(url: string): Promise<void> {
  if (!isWebAddress(url)) throw new Error('Only web addresses are opened.')
  await shell.openExternal(url)
}

async function assemble(): Promise<Core> {
  const pages = await openPages(join(import.meta.dirname, '..', '..', 'renderer', 'dist'))
  lockSession(session.defaultSession)
  protocol.handle(pageScheme, pages)
  Menu.setApplicationMenu(Menu.buildFromTemplate(menuTemplate({ mac, developer })))
  const userData = app.getPath('userData')
  const core = await createCore({
    dataDir: userData,
    secrets: keychainSecrets(keychain(), join(userData, 'secrets'), (message) => log.warn(message)),
    shell: 'electron',
    version: app.getVersion(),
    ...(gateway === '' ? {} : { gateway }),
    openExternal,
    saver: dialogSaver(dialog, app.getPath('downloads')),
    log,
  })
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
