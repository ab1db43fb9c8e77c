import { ipcRenderer } from 'electron'
import { connectChannel, portMessage, readyMessage } from './channels.ts'

/**
 * Hands the page one MessagePort to the client core. Nothing of Node or Electron is put into the page: no function, no object,
 * no other channel.
 */
interface Page {
  readonly location: { readonly origin: string }
  addEventListener(type: 'message', listener: (event: { source: unknown; data: unknown }) => void): void
  postMessage(message: unknown, targetOrigin: string, transfer: readonly unknown[]): void
}
declare const window: Page

window.addEventListener('message', (event) => {
  if (event.source === window && event.data === readyMessage) ipcRenderer.send(connectChannel)
})

ipcRenderer.on(connectChannel, (event) => {
  window.postMessage(portMessage, window.location.origin, event.ports)
})
