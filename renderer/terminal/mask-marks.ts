import type { IMarker, Terminal } from '@xterm/xterm'
import { maskedSpans } from './blocks.ts'

/** Hatches what came back masked, line by line, as it is written. */
export class MaskMarks {
  private readonly terminal: Terminal
  /** The line where the last write ended, which the next may go on with. */
  private open: IMarker | undefined
  /** Columns of that line that are hatched already. */
  private done = new Set<number>()
  private fullScreen = false

  constructor(terminal: Terminal) {
    this.terminal = terminal
  }

  before(): void {
    this.fullScreen = this.terminal.buffer.active.type !== 'normal'
    if (this.open === undefined || this.open.isDisposed) this.open = this.terminal.registerMarker(0)
  }

  after(text: string): void {
    const buffer = this.terminal.buffer.active
    const from = this.open
    const end = buffer.baseY + buffer.cursorY
    if (from === undefined || this.fullScreen || buffer.type !== 'normal') return
    if (text.includes('•')) for (let y = from.line; y <= end; y += 1) this.hatch(y, end, y === from.line)
    if (from.line !== end) {
      from.dispose()
      this.open = this.terminal.registerMarker(0)
      this.done = new Set()
      if (text.includes('•')) this.hatch(end, end, true, true)
    }
  }

  private hatch(y: number, end: number, known: boolean, onlyNote = false): void {
    const text = this.terminal.buffer.active.getLine(y)?.translateToString(true) ?? ''
    for (const span of maskedSpans(text)) {
      if (known && this.done.has(span.start)) continue
      if (known) this.done.add(span.start)
      if (onlyNote) continue
      const marker = this.terminal.registerMarker(y - end)
      const decoration = this.terminal.registerDecoration({
        marker,
        x: span.start,
        width: span.length,
        height: 1,
        layer: 'top',
      })
      decoration?.onRender((element) => element.classList.add('tmask-cell'))
    }
  }
}
