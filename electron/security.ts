import { isPage } from './protocol.ts'

/** The parts of Electron's Session that are locked; Electron's own fits. */
export interface LockableSession {
  setPermissionRequestHandler(
    handler: (
      contents: unknown,
      permission: string,
      callback: (granted: boolean) => void,
      details: { requestingUrl: string },
    ) => void,
  ): void
  setPermissionCheckHandler(handler: (contents: unknown, permission: string, requestingOrigin: string) => boolean): void
  setDevicePermissionHandler(handler: () => boolean): void
  setDisplayMediaRequestHandler(handler: (request: unknown, callback: (streams: object) => void) => void): void
  readonly webRequest: {
    onBeforeRequest(
      listener: (details: { url: string }, callback: (response: { cancel: boolean }) => void) => void,
    ): void
  }
  on(event: 'will-download', listener: (event: { preventDefault(): void }) => void): unknown
}

export interface Preventable {
  preventDefault(): void
}

/** The parts of WebContents that are locked. */
export interface LockableContents {
  setWindowOpenHandler(handler: (details: { url: string }) => { action: 'deny' }): void
  on(
    event: 'will-navigate' | 'will-frame-navigate' | 'will-redirect',
    listener: (event: Preventable & { url: string }) => void,
  ): unknown
  on(event: 'will-attach-webview', listener: (event: Preventable) => void): unknown
}

/** The one thing that a page may ask of the system: to put text that a person copies on the clipboard. */
const allowedPermission = 'clipboard-sanitized-write'

/** No permissions, no devices, no screen capture, no downloads, no network: the page talks to its port alone. */
export function lockSession(session: LockableSession): void {
  session.setPermissionRequestHandler((_contents, permission, callback, { requestingUrl }) => {
    callback(permission === allowedPermission && isPage(requestingUrl))
  })
  session.setPermissionCheckHandler(
    (_contents, permission, requestingOrigin) => permission === allowedPermission && isPage(requestingOrigin),
  )
  session.setDevicePermissionHandler(() => false)
  session.setDisplayMediaRequestHandler((_request, callback) => callback({}))
  session.webRequest.onBeforeRequest(({ url }, callback) => callback({ cancel: !isLocal(url) }))
  session.on('will-download', (event) => event.preventDefault())
}

/** The page stays where it is, opens no windows and embeds no other page. */
export function lockContents(contents: LockableContents): void {
  const stay = (event: Preventable & { url: string }): void => {
    if (!isPage(event.url)) event.preventDefault()
  }
  contents.on('will-navigate', stay)
  contents.on('will-frame-navigate', stay)
  contents.on('will-redirect', stay)
  contents.on('will-attach-webview', (event) => event.preventDefault())
  contents.setWindowOpenHandler(() => ({ action: 'deny' }))
}

/** `blob:` and `data:` are made by the page itself; the policy of the page says where they may be used. DevTools are local files. */
function isLocal(url: string): boolean {
  return (
    isPage(url) || url.startsWith('blob:app://sallyport/') || url.startsWith('data:') || url.startsWith('devtools:')
  )
}

/** Addresses that may be opened in the person's browser: web pages, and nothing that starts a program. */
export function isWebAddress(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { protocol, username, password } = new URL(url)
  return (protocol === 'https:' || protocol === 'http:') && username === '' && password === ''
}
