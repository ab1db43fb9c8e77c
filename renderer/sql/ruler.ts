import { monaco } from './monaco.ts'

/** A statement's mark beside the scroll bar. */
export interface Tick {
  line: number
  color: string
  /** Taller than the others, so that its colour is not all that tells it from them. */
  tall: boolean
}

/** Of a tick, in pixels. */
const size = { width: 8, height: 4, tall: 10, beside: 2 }

/** The marks of the whole text beside the scroll bar. The editor's own ruler draws each as high as a line, which says more than one mark is. */
export class Ruler {
  private readonly canvas = document.createElement('canvas')
  private readonly editor: monaco.editor.IStandaloneCodeEditor
  private readonly ticks: () => readonly Tick[]
  private frame = 0

  constructor(editor: monaco.editor.IStandaloneCodeEditor, ticks: () => readonly Tick[]) {
    this.editor = editor
    this.ticks = ticks
    this.canvas.className = 'ruler'
    this.canvas.setAttribute('aria-hidden', 'true')
    editor.getContainerDomNode().append(this.canvas)
  }

  dispose(): void {
    cancelAnimationFrame(this.frame)
    this.canvas.remove()
  }

  /** Marks, their places or the editor's size have changed: drawn once, with the next frame. */
  changed(): void {
    if (this.frame === 0) this.frame = requestAnimationFrame(() => this.draw())
  }

  private draw(): void {
    this.frame = 0
    const { editor, canvas } = this
    const { height, verticalScrollbarWidth: width } = editor.getLayoutInfo()
    const scale = window.devicePixelRatio
    canvas.width = width * scale
    canvas.height = height * scale
    canvas.style.width = `${width}px`
    canvas.style.height = `${height}px`
    const context = canvas.getContext('2d')
    if (context === null) return
    context.scale(scale, scale)
    // A text that does not fill the editor is not drawn out on its ruler.
    const shrunk = Math.min(1, height / Math.max(1, editor.getScrollHeight()))
    const half = editor.getOption(monaco.editor.EditorOption.lineHeight) / 2
    for (const { line, color, tall } of this.ticks()) {
      const middle = editor.getTopForLineNumber(line) + half
      const tick = tall ? size.tall : size.height
      context.fillStyle = color
      context.fillRect(size.beside, Math.round(middle * shrunk) - tick / 2, size.width, tick)
    }
  }
}
