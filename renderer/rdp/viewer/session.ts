import { Backend, displayControl, enableCredssp, init } from '@devolutions/iron-remote-desktop-rdp'
import type { Picture } from '../../../shared/rdp/bitmap.ts'
import type { Stroke } from './keyboard.ts'
import { withSettings } from './settings.ts'
import { offerTransport, type Transport } from './socket.ts'
import { Wire } from './wire.ts'

export interface ViewerOptions {
  transport: Transport
  /** Good for this session alone. */
  credential: { user: string; password: string }
  /** Whether anything may cross the clipboard; the gateway decides on each transfer all the same. */
  clipboard: boolean
  /** Keyboard layout, as Windows numbers them. */
  keyboard: number
  /** As `fitting` makes it. */
  size: { width: number; height: number }
  /** The desktop's size, and pictures of it. */
  sized(width: number, height: number): void
  picture(picture: Picture): void
  /** A value for CSS. */
  cursor(style: string): void
}

/** A desktop in the page. */
export interface ViewerSession {
  /** Resolves when the session is over, with the reason in the protocol's words. */
  readonly ended: Promise<string>
  keys(strokes: readonly Stroke[]): void
  move(x: number, y: number): void
  /** `button` as in MouseEvent. */
  button(button: number, down: boolean): void
  wheel(event: Pick<WheelEvent, 'deltaX' | 'deltaY' | 'deltaMode'>): void
  /** Whether the keypad types digits. */
  numLock(on: boolean): void
  resize(width: number, height: number): void
  /** This text goes on the desktop's clipboard. */
  offer(text: string): Promise<void>
  /** The text that was copied last on the desktop; undefined while none was. */
  copied(): string | undefined
  close(): void
}

/** Sizes that RDP takes: of four pixels, and within these. */
const sizes = { least: 200, most: 4096 }
const plainText = 'text/plain'

let ready: Promise<void> | undefined

/** Connects a desktop. IronRDP speaks the protocol; pictures are taken out of the stream before it. Rejects when the gateway or the desktop says no. */
export async function openViewer(options: ViewerOptions): Promise<ViewerSession> {
  // The WASM is one for the page, however many desktops are open.
  ready ??= init('ERROR')
  await ready
  const { credential, size } = options
  const offer = offerTransport(between(options))
  // What it draws itself is nothing: its pictures never come.
  const unseen = document.createElement('canvas')
  let copied: string | undefined
  try {
    const builder = new Backend.SessionBuilder()
      .username(credential.user)
      .password(credential.password)
      .serverDomain('')
      .destination('desktop.invalid:3389')
      .proxyAddress(offer.address)
      .authToken('none')
      .renderCanvas(unseen)
      .setCursorStyleCallbackContext(null)
      .setCursorStyleCallback((...cursor: CursorArguments) => options.cursor(cursorOf(cursor)))
      .desktopSize(new Backend.DesktopSize(size.width, size.height))
      .canvasResizedCallback(() => {})
      .extension(displayControl(true))
      .extension(enableCredssp(false))
    const connecting = options.clipboard
      ? builder
          .forceClipboardUpdateCallback(() => {})
          .remoteClipboardChangedCallback((data: InstanceType<typeof Backend.ClipboardData>) => {
            const text = data.items().find((item) => item.mimeType() === plainText)
            if (text !== undefined) copied = String(text.value())
          })
      : builder
    const session = await connecting.connect()
    const apply = (events: readonly DeviceEvent[]): void => {
      if (events.length === 0) return
      const transaction = new Backend.InputTransaction()
      for (const event of events) transaction.addEvent(event)
      session.applyInputs(transaction)
    }
    const { DeviceEvent } = Backend
    return {
      ended: session.run().then(
        (info) => info.reason(),
        (error: unknown) => reasonOf(error),
      ),
      keys: (strokes) => apply(strokes.flatMap(eventsOf)),
      move: (x, y) => apply([DeviceEvent.mouseMove(x, y)]),
      button: (button, down) =>
        apply([down ? DeviceEvent.mouseButtonPressed(button) : DeviceEvent.mouseButtonReleased(button)]),
      wheel: ({ deltaX, deltaY, deltaMode }) => {
        const vertical = deltaY !== 0
        apply([DeviceEvent.wheelRotations(vertical, -(vertical ? deltaY : deltaX), deltaMode)])
      },
      numLock: (on) => session.synchronizeLockKeys(false, on, false, false),
      resize: (width, height) => {
        const fit = fitting(width, height)
        session.resize(fit.width, fit.height)
      },
      offer: async (text) => {
        const data = new Backend.ClipboardData()
        data.addText(plainText, text)
        await session.onClipboardPaste(data)
      },
      copied: () => copied,
      close: () => {
        session.shutdown()
        offer.close()
      },
    }
  } catch (error) {
    offer.close()
    throw new Error(reasonOf(error), { cause: error })
  }
}

/** What goes to the desktop gets this machine's settings, and what comes from it loses its pictures, which are drawn. */
function between({ transport, keyboard, sized, picture }: ViewerOptions): Transport {
  const wire = new Wire({ sized, picture })
  return {
    send: (bytes) => transport.send(wire.send(withSettings(bytes, { keyboard }))),
    read: async (signal) => without(await transport.read(signal), wire),
  }
}

async function* without(chunks: AsyncIterable<Uint8Array>, wire: Wire): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of chunks) yield* wire.receive(chunk)
}

/** The package names no types but that of its entry. */
type DeviceEvent = ReturnType<typeof Backend.DeviceEvent.keyPressed>

function eventsOf(stroke: Stroke): DeviceEvent[] {
  const { DeviceEvent } = Backend
  switch (stroke.kind) {
    case 'press':
      return [DeviceEvent.keyPressed(stroke.scan)]
    case 'release':
      return [DeviceEvent.keyReleased(stroke.scan)]
    case 'type':
      return [DeviceEvent.unicodePressed(stroke.character), DeviceEvent.unicodeReleased(stroke.character)]
    default:
      return stroke satisfies never
  }
}

/** `kind` is `default`, `hidden`, or `url` with an image and its hot spot. */
type CursorArguments = [kind: string, image?: string, x?: number, y?: number]

function cursorOf([kind, image, x = 0, y = 0]: CursorArguments): string {
  if (kind === 'hidden') return 'none'
  return kind === 'url' && image !== undefined ? `url(${image}) ${Math.round(x)} ${Math.round(y)}, default` : 'default'
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
