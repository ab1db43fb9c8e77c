import '@devolutions/iron-remote-desktop'
import type { UserInteraction } from '@devolutions/iron-remote-desktop'
import { Backend, displayControl, enableCredssp, init } from '@devolutions/iron-remote-desktop-rdp'
import { offerTransport, type Transport } from './socket.ts'

export interface ViewerOptions {
  host: HTMLElement
  transport: Transport
  /** Good for this session alone. */
  credential: { user: string; password: string }
  /** Whether anything may cross the clipboard; the gateway decides on each transfer all the same. */
  clipboard: boolean
  /** As `fitting` makes it. */
  size: { width: number; height: number }
}

/** A desktop in the page. */
export interface ViewerSession {
  /** Resolves when the session is over, with the reason in the protocol's words. */
  readonly ended: Promise<string>
  resize(width: number, height: number): void
  ctrlAltDel(): void
  /** This machine's clipboard goes to the desktop, on a press of the button: nothing reads it by itself. */
  paste(): Promise<void>
  copy(): Promise<void>
  close(): void
}

/** Sizes that RDP takes: of four pixels, and within these. */
const sizes = { least: 200, most: 8192 }

let ready: Promise<void> | undefined

/** Draws a desktop into `host` and connects it. Rejects when the gateway or the desktop says no. */
export async function openViewer(options: ViewerOptions): Promise<ViewerSession> {
  // The WASM is one for the page, however many desktops are open.
  ready ??= init('ERROR')
  await ready
  const { host, credential } = options
  const offer = offerTransport(options.transport)
  const element = document.createElement('iron-remote-desktop')
  element.setAttribute('flexcenter', 'true')
  element.setAttribute('scale', 'fit')
  const interaction = interactionOf(element)
  Object.assign(element, { module: Backend })
  host.append(element)
  const close = (): void => {
    element.remove()
    offer.close()
  }
  try {
    const ui = await interaction
    ui.setEnableAutoClipboard(false)
    ui.setEnableClipboard(options.clipboard)
    // Characters as they are typed here, whatever the layouts on both sides; combinations go as keys.
    ui.setKeyboardUnicodeMode(true)
    const config = ui
      .configBuilder()
      .withUsername(credential.user)
      .withPassword(credential.password)
      .withServerDomain('')
      .withDestination('desktop.invalid:3389')
      .withProxyAddress(offer.address)
      .withAuthToken('none')
      .withDesktopSize(options.size)
      .withExtension(displayControl(true))
      .withExtension(enableCredssp(false))
      .build()
    const session = await ui.connect(config)
    ui.setVisibility(true)
    const ended = session.run().then(
      (info) => info.reason(),
      (error: unknown) => reasonOf(error),
    )
    return {
      ended,
      resize: (width, height) => {
        const size = fitting(width, height)
        ui.resize(size.width, size.height)
      },
      ctrlAltDel: () => ui.ctrlAltDel(),
      paste: () => ui.sendClipboardData(),
      copy: () => ui.saveRemoteClipboardData(),
      close: () => {
        ui.shutdown()
        close()
      },
    }
  } catch (error) {
    close()
    throw new Error(reasonOf(error), { cause: error })
  }
}

function interactionOf(element: HTMLElement): Promise<UserInteraction> {
  return new Promise((resolve) => {
    element.addEventListener(
      'ready',
      (event) => {
        if (event instanceof CustomEvent) resolve(event.detail.irgUserInteraction)
      },
      { once: true },
    )
  })
}

export function fitting(width: number, height: number): { width: number; height: number } {
  const within = (n: number): number => Math.min(sizes.most, Math.max(sizes.least, Math.floor(n / 4) * 4))
  return { width: within(width), height: within(height) }
}

/** IronRDP's errors are objects of its own; the first line of one says what it is. */
function reasonOf(error: unknown): string {
  if (error instanceof Error) return error.message
  if (typeof error === 'object' && error !== null && 'backtrace' in error && typeof error.backtrace === 'function') {
    return String(error.backtrace()).split('\n', 1)[0] ?? ''
  }
  return String(error)
}
