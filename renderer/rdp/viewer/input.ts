import { Keyboard, type KeyInput, type Stroke } from './keyboard.ts'
import type { Screen } from './screen.ts'
import type { ViewerSession } from './session.ts'

export interface InputOptions {
  screen: Screen
  /** Has the focus while the desktop has the keyboard: what is composed comes out of it. */
  field: HTMLTextAreaElement
  session: ViewerSession
  /** Its keys are those of a Mac: see `Keyboard`. */
  mac: boolean
  /** The person wants the keyboard back (Ctrl+Alt+Home). */
  leave(): void
}

/** Gives keyboard and mouse to a desktop. Returns how to take them back. */
export function listen({ screen, field, session, mac, leave }: InputOptions): () => void {
  const life = new AbortController()
  const { signal } = life
  const keyboard = new Keyboard(mac)
  const send = (strokes: readonly Stroke[]): void => session.keys(strokes)
  const on = <K extends keyof HTMLElementEventMap>(
    target: HTMLElement,
    kind: K,
    listener: (event: HTMLElementEventMap[K]) => void,
  ): void => target.addEventListener(kind, listener, { signal })

  on(field, 'keydown', (event) => {
    if (event.key === 'Home' && event.ctrlKey && event.altKey) {
      event.preventDefault()
      send(keyboard.releaseAll())
      leave()
      return
    }
    const strokes = keyboard.down(inputOf(event))
    if (strokes === undefined) return
    event.preventDefault()
    send(strokes)
    if (event.key === 'NumLock') session.numLock(event.getModifierState('NumLock'))
  })
  on(field, 'keyup', (event) => {
    event.preventDefault()
    send(keyboard.up(event))
  })
  // What is still being composed is not text yet.
  on(field, 'input', (event) => {
    if (event instanceof InputEvent && event.isComposing) return
    take()
  })
  on(field, 'compositionend', () => take())
  on(field, 'focus', () => session.numLock(true))
  on(field, 'blur', () => send(keyboard.releaseAll()))
  window.addEventListener('blur', () => send(keyboard.releaseAll()), { signal })

  function take(): void {
    const text = field.value
    field.value = ''
    send(keyboard.text(text))
  }

  const { canvas } = screen
  on(canvas, 'pointerdown', (event) => {
    event.preventDefault()
    field.focus({ preventScroll: true })
    canvas.setPointerCapture(event.pointerId)
  })
  on(canvas, 'pointermove', (event) => {
    const { x, y } = screen.at(event)
    session.move(x, y)
  })
  // A second button of a mouse that has one down already is no pointer event.
  for (const kind of ['mousedown', 'mouseup'] as const) {
    on(canvas, kind, (event) => {
      event.preventDefault()
      const { x, y } = screen.at(event)
      session.move(x, y)
      session.button(event.button, kind === 'mousedown')
    })
  }
  on(canvas, 'contextmenu', (event) => event.preventDefault())
  canvas.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault()
      session.wheel(event)
    },
    { signal, passive: false },
  )
  return () => {
    send(keyboard.releaseAll())
    life.abort()
  }
}

function inputOf(event: KeyboardEvent): KeyInput {
  return {
    key: event.key,
    code: event.code,
    ctrl: event.ctrlKey,
    alt: event.altKey,
    meta: event.metaKey,
    altGraph: event.getModifierState('AltGraph'),
    composing: event.isComposing,
  }
}
