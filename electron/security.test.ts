import { expect, test } from 'vitest'
import { menuTemplate } from './menu.ts'
import {
  isWebAddress,
  type LockableContents,
  type LockableSession,
  lockContents,
  lockSession,
  type Preventable,
} from './security.ts'
import { windowOptions } from './window.ts'

type PermissionHandler = Parameters<LockableSession['setPermissionRequestHandler']>[0]
type CheckHandler = Parameters<LockableSession['setPermissionCheckHandler']>[0]

function lockedSession() {
  let request: PermissionHandler = () => undefined
  let check: CheckHandler = () => true
  let device = (): boolean => true
  let display: Parameters<LockableSession['setDisplayMediaRequestHandler']>[0] = () => undefined
  let before: Parameters<LockableSession['webRequest']['onBeforeRequest']>[0] = () => undefined
  let download: (event: Preventable) => void = () => undefined
  lockSession({
    setPermissionRequestHandler: (handler) => {
      request = handler
    },
    setPermissionCheckHandler: (handler) => {
      check = handler
    },
    setDevicePermissionHandler: (handler) => {
      device = handler
    },
    setDisplayMediaRequestHandler: (handler) => {
      display = handler
    },
    webRequest: {
      onBeforeRequest: (listener) => {
        before = listener
      },
    },
    on: (_event, listener) => {
      download = listener
    },
  })
  const ask = (permission: string, requestingUrl: string): boolean => {
    let granted = true
    request({}, permission, (answer) => (granted = answer), { requestingUrl })
    return granted
  }
  const loads = (url: string): boolean => {
    let cancelled = false
    before({ url }, ({ cancel }) => (cancelled = cancel))
    return !cancelled
  }
  return { ask, check, device, display, loads, download }
}

const page = 'app://sallyport/index.html'

test.each([
  'media',
  'geolocation',
  'notifications',
  'midi',
  'midiSysex',
  'pointerLock',
  'fullscreen',
  'openExternal',
  'clipboard-read',
  'display-capture',
  'hid',
  'serial',
  'usb',
  'idle-detection',
  'storage-access',
  'fileSystem',
  'unknown',
])('the permission %s is denied, asked or checked', (permission) => {
  const { ask, check } = lockedSession()
  expect(ask(permission, page)).toBe(false)
  expect(check({}, permission, 'app://sallyport')).toBe(false)
})

test('the page may put text on the clipboard; nobody else may', () => {
  const { ask, check } = lockedSession()
  expect(ask('clipboard-sanitized-write', page)).toBe(true)
  expect(check({}, 'clipboard-sanitized-write', 'app://sallyport/')).toBe(true)
  expect(ask('clipboard-sanitized-write', 'https://evil.example/')).toBe(false)
  expect(check({}, 'clipboard-sanitized-write', 'https://evil.example')).toBe(false)
})

test('no devices, no screen, no downloads', () => {
  const { device, display, download } = lockedSession()
  expect(device()).toBe(false)
  let streams: object | undefined
  display({}, (given) => (streams = given))
  expect(streams).toEqual({})
  let prevented = false
  download({ preventDefault: () => (prevented = true) })
  expect(prevented).toBe(true)
})

test.each([
  [page, true],
  ['app://sallyport/assets/a.js', true],
  ['blob:app://sallyport/0f3c', true],
  ['data:image/png;base64,AA', true],
  ['https://evil.example/x', false],
  ['http://127.0.0.1:8080/', false],
  ['ws://127.0.0.1/', false],
  ['file:///etc/passwd', false],
  ['app://other/x', false],
  ['blob:https://evil.example/1', false],
])('a request to %s: let through %s', (url, through) => {
  expect(lockedSession().loads(url)).toBe(through)
})

test('the page stays where it is, opens no windows and embeds nothing', () => {
  const listeners = new Map<string, (event: Preventable & { url: string }) => void>()
  let open: Parameters<LockableContents['setWindowOpenHandler']>[0] | undefined
  const contents: LockableContents = {
    setWindowOpenHandler: (handler) => {
      open = handler
    },
    on: (event: string, listener: (event: Preventable & { url: string }) => void) => listeners.set(event, listener),
  }
  lockContents(contents)
  const prevented = (name: string, url: string): boolean => {
    let is = false
    listeners.get(name)?.({ url, preventDefault: () => (is = true) })
    return is
  }
  for (const name of ['will-navigate', 'will-frame-navigate', 'will-redirect']) {
    expect(prevented(name, 'https://evil.example/')).toBe(true)
    expect(prevented(name, 'file:///etc/passwd')).toBe(true)
    expect(prevented(name, 'javascript:alert(1)')).toBe(true)
    expect(prevented(name, page)).toBe(false)
  }
  expect(prevented('will-attach-webview', page)).toBe(true)
  expect(open?.({ url: page })).toEqual({ action: 'deny' })
  expect(open?.({ url: 'https://evil.example/' })).toEqual({ action: 'deny' })
})

test('the window is sandboxed and isolated, without Node', () => {
  expect(windowOptions('/preload.cjs', true, false).webPreferences).toMatchObject({
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    allowRunningInsecureContent: false,
    webviewTag: false,
    experimentalFeatures: false,
    navigateOnDragDrop: false,
    safeDialogs: true,
    devTools: false,
  })
})

test('no switch and no feature of the engine is turned on beside that', () => {
  const { webPreferences } = windowOptions('/preload.cjs', true, false)
  const allowed = [
    'allowRunningInsecureContent',
    'contextIsolation',
    'devTools',
    'experimentalFeatures',
    'navigateOnDragDrop',
    'nodeIntegration',
    'nodeIntegrationInSubFrames',
    'nodeIntegrationInWorker',
    'preload',
    'safeDialogs',
    'sandbox',
    'spellcheck',
    'webSecurity',
    'webviewTag',
  ]
  expect(Object.keys(webPreferences ?? {}).sort()).toEqual(allowed)
})

test('a packaged app has no developer tools and no reload in its menu', () => {
  const text = JSON.stringify(menuTemplate({ mac: false, developer: false, zoom: () => undefined }))
  expect(text).not.toMatch(/devtools|reload/i)
  expect(JSON.stringify(menuTemplate({ mac: true, developer: true, zoom: () => undefined }))).toMatch(/toggleDevTools/)
})

test.each([
  ['https://gw.example/oauth', true],
  ['http://127.0.0.1:3000/', true],
  ['file:///etc/passwd', false],
  ['smb://host/share', false],
  ['ms-msdt:/id', false],
  ['javascript:alert(1)', false],
  ['https://user:pass@gw.example/', false],
  ['nonsense', false],
])('isWebAddress(%j) is %s', (url, web) => {
  expect(isWebAddress(url)).toBe(web)
})
