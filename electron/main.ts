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
  Notification,
  nativeTheme,
  protocol,
  safeStorage,
  session,
  shell,
} from 'electron'
import { pino } from 'pino'
import { type Core, createCore } from '../main/core.ts'
import { type Desktop, startDesktop } from './desktop.ts'
import { menuTemplate } from './menu.ts'
import { noticeOf } from './notify.ts'
import { brokerPorts } from './ports.ts'
import { openPages, pageScheme, schemePrivileges } from './protocol.ts'
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
  announce(core).catch((error: unknown) => log.error({ err: error }, 'system notifications stopped'))
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

/** Shows what the gateway tells while the person looks elsewhere. */
async function announce(core: Core): Promise<void> {
  const client = createRouterClient(core.router)
  let me = ''
  const people = async (): Promise<void> => {
    for await (const state of await client.auth.state()) me = state.state === 'signed-in' ? state.person.id : ''
  }
  people().catch((error: unknown) => log.error({ err: error }, 'the sign-in state is no longer followed'))
  for await (const event of await client.events()) {
    const notice = me === '' || desktop?.watched() === true ? undefined : noticeOf(event, me)
    if (notice === undefined || !Notification.isSupported()) continue
    const shown = new Notification({ title: notice.title, body: notice.body })
    shown.on('click', () => desktop?.show(notice.opens))
    shown.show()
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
