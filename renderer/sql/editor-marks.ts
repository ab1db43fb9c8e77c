import { looks } from '../decisions/words.ts'
import { readTokens, toHex } from '../theme/colors.ts'
import { decorations, hasZone, maskedSpans, type Range } from './marks.ts'
import { monaco } from './monaco.ts'
import { Ruler, type Tick } from './ruler.ts'
import type { Mark } from './run-state.ts'
import { type UnknownName, unknownOf } from './unknown.ts'

/** What the tab asks of its editor. Offsets are UTF-16, in the text as it is now. */
export interface EditorHandle {
  text(): string
  cursor(): number
  /** Undefined when nothing is selected. */
  selection(): { start: number; end: number } | undefined
  /** Ids of marks whose statements lie in [start, end), wherever edits have moved them. */
  marksIn(start: number, end: number): ReadonlySet<string>
  lineOf(mark: string): number | undefined
  /** A mark's statement as it is now, and where; undefined when it is gone. */
  statementOf(mark: string): { start: number; end: number; text: string } | undefined
  /** Puts the cursor at a mark's statement, or at an offset within it, and shows it. */
  reveal(mark: string, offset?: number): void
  /** Scrolls so far that an offset within a mark's statement is seen, and moves nothing else. */
  show(mark: string, offset: number): void
  /** Line and column of an offset within a mark's statement; undefined when it is gone, or is another by now. */
  placeOf(mark: string, offset: number): { line: number; column: number } | undefined
  /** The next decision from the cursor, or the one before. */
  step(direction: 1 | -1): void
  focus(): void
  /** Puts `text` in the place of [start, end), as one step that can be undone, and the cursor at its end or at `cursor`. */
  replace(start: number, end: number, text: string, cursor?: number): void
  /** Offers what could come at the cursor. */
  suggest(): void
}

interface Shown {
  mark: Mark
  decorations: monaco.editor.IEditorDecorationsCollection
}

interface Zone {
  /** What React draws into: an overlay that lies over an empty zone, so that it can be clicked and focused. */
  node: HTMLDivElement
  widget: monaco.editor.IOverlayWidget
  zoneId: string
  zone: monaco.editor.IViewZone
  observer: ResizeObserver
}

/** Draws marks in one editor and keeps them where edits move their statements. */
export class EditorMarks {
  private readonly editor: monaco.editor.IStandaloneCodeEditor
  private readonly model: monaco.editor.ITextModel
  private readonly shown = new Map<string, Shown>()
  private readonly zones = new Map<string, Zone>()
  private readonly nodes = new Map<string, HTMLDivElement>()
  private readonly listeners: monaco.IDisposable[] = []
  /** Of the ruler's marks in this theme, by their token. */
  private readonly colors = new Map<string, string>()
  private readonly ruler: Ruler

  constructor(editor: monaco.editor.IStandaloneCodeEditor, model: monaco.editor.ITextModel) {
    this.editor = editor
    this.model = model
    this.ruler = new Ruler(editor, () => this.ticks())
    this.listeners.push(
      model.onDidChangeContent(() => {
        this.moveZones()
        this.ruler.changed()
      }),
      editor.onDidLayoutChange(() => {
        this.placeZones()
        this.ruler.changed()
      }),
      editor.onDidContentSizeChange(() => this.ruler.changed()),
    )
  }

  dispose(): void {
    for (const listener of this.listeners) listener.dispose()
    for (const id of [...this.zones.keys()]) this.removeZone(id)
    this.ruler.dispose()
  }

  /** Brings the editor to these marks. */
  show(marks: readonly Mark[]): void {
    const wanted = new Set(marks.map((mark) => mark.id))
    for (const [id, { decorations }] of this.shown) {
      if (wanted.has(id)) continue
      decorations.clear()
      this.shown.delete(id)
    }
    for (const mark of marks) {
      const before = this.shown.get(mark.id)
      if (before?.mark === mark) continue
      const range = before?.decorations.getRange(0) ?? this.toRange(mark.start, mark.end)
      const collection = before?.decorations ?? this.editor.createDecorationsCollection()
      collection.set(this.decorate(mark, range))
      this.shown.set(mark.id, { mark, decorations: collection })
    }
    this.syncZones(marks)
    this.ruler.changed()
  }

  /** Of the marks with a block, those under which another text stands by now. */
  rewritten(): string[] {
    return [...this.zones.keys()].filter((id) => {
      const shown = this.shown.get(id)
      const range = shown?.decorations.getRange(0)
      return shown !== undefined && range != null && this.model.getValueInRange(range) !== shown.mark.text
    })
  }

  /** The marks that are shown, and where their statements are now. */
  placed(): { mark: Mark; range: Range }[] {
    return [...this.shown.values()].flatMap(({ mark, decorations }) => {
      const range = decorations.getRange(0)
      return range === null ? [] : [{ mark, range }]
    })
  }

  /** Colours have changed. */
  refresh(): void {
    this.colors.clear()
    for (const { mark, decorations } of this.shown.values()) {
      const range = decorations.getRange(0)
      if (range !== null) decorations.set(this.decorate(mark, range))
    }
    this.ruler.changed()
  }

  /** One for each statement, however long it is. */
  private ticks(): Tick[] {
    return this.placed().flatMap(({ mark: { look }, range }) =>
      look === 'running' ? [] : [{ line: range.startLineNumber, color: this.colorOf(look), tall: look === 'masked' }],
    )
  }

  /** The element of a mark's zone; made when first asked for, on the page once the zone is. */
  zoneNode(id: string): HTMLDivElement {
    const there = this.nodes.get(id)
    if (there !== undefined) return there
    const node = document.createElement('div')
    node.className = 'zone-host'
    this.nodes.set(id, node)
    return node
  }

  handle(): EditorHandle {
    const { editor, model } = this
    return {
      text: () => model.getValue(),
      cursor: () => model.getOffsetAt(editor.getPosition() ?? { lineNumber: 1, column: 1 }),
      selection: () => {
        const selection = editor.getSelection()
        if (selection === null || selection.isEmpty()) return undefined
        return {
          start: model.getOffsetAt(selection.getStartPosition()),
          end: model.getOffsetAt(selection.getEndPosition()),
        }
      },
      marksIn: (start, end) => {
        const range = this.toRange(start, end)
        const hit = [...this.shown].filter(([, s]) => {
          const at = s.decorations.getRange(0)
          return at === null || monaco.Range.areIntersecting(at, range)
        })
        return new Set(hit.map(([id]) => id))
      },
      lineOf: (id) => this.shown.get(id)?.decorations.getRange(0)?.startLineNumber,
      statementOf: (id) => {
        const range = this.shown.get(id)?.decorations.getRange(0)
        if (range == null) return undefined
        const start = model.getOffsetAt({ lineNumber: range.startLineNumber, column: range.startColumn })
        const text = model.getValueInRange(range)
        return { start, end: start + text.length, text }
      },
      reveal: (id, offset) => {
        const at = offset === undefined ? undefined : this.positionOf(id, offset)
        if (at === undefined) return this.reveal(id)
        editor.setPosition(at)
        editor.revealPositionInCenterIfOutsideViewport(at)
        editor.focus()
      },
      show: (id, offset) => {
        const at = this.positionOf(id, offset)
        if (at !== undefined) editor.revealPositionInCenterIfOutsideViewport(at)
      },
      placeOf: (id, offset) => {
        const at = this.positionOf(id, offset)
        return at && { line: at.lineNumber, column: at.column }
      },
      step: (direction) => this.step(direction),
      focus: () => editor.focus(),
      replace: (start, end, text, cursor) => {
        editor.pushUndoStop()
        editor.executeEdits('sallyport', [{ range: this.toRange(start, end), text, forceMoveMarkers: true }])
        editor.pushUndoStop()
        const at = model.getPositionAt(cursor ?? start + text.length)
        editor.setPosition(at)
        editor.revealPositionInCenterIfOutsideViewport(at)
        editor.focus()
      },
      suggest: () => editor.trigger('sallyport', 'editor.action.triggerSuggest', {}),
    }
  }

  private positionOf(id: string, offset: number): monaco.Position | undefined {
    const shown = this.shown.get(id)
    const range = shown?.decorations.getRange(0)
    if (shown === undefined || range == null || this.model.getValueInRange(range) !== shown.mark.text) return undefined
    const start = this.model.getOffsetAt({ lineNumber: range.startLineNumber, column: range.startColumn })
    return this.model.getPositionAt(start + offset)
  }

  private reveal(id: string): void {
    const range = this.shown.get(id)?.decorations.getRange(0)
    if (range == null) return
    this.editor.setPosition({ lineNumber: range.startLineNumber, column: range.startColumn })
    this.editor.revealRangeInCenterIfOutsideViewport(range)
    const zone = this.nodes.get(id)?.querySelector<HTMLElement>('[role="group"]')
    if (zone == null) this.editor.focus()
    else zone.focus()
  }

  private step(direction: 1 | -1): void {
    const line = this.editor.getPosition()?.lineNumber ?? 1
    // From the statement into its own block first, which nothing else leads to.
    const own = [...this.nodes].find(([id, node]) => {
      const range = this.shown.get(id)?.decorations.getRange(0)
      return (
        range != null &&
        range.startLineNumber <= line &&
        line <= range.endLineNumber &&
        !node.contains(document.activeElement)
      )
    })
    if (direction === 1 && own !== undefined) {
      this.reveal(own[0])
      return
    }
    const lines = [...this.shown.keys()]
      .map((id) => ({ id, line: this.shown.get(id)?.decorations.getRange(0)?.startLineNumber ?? 0 }))
      .sort((a, b) => a.line - b.line)
    const next =
      direction === 1
        ? (lines.find((l) => l.line > line) ?? lines[0])
        : (lines.findLast((l) => l.line < line) ?? lines.at(-1))
    if (next !== undefined) this.reveal(next.id)
  }

  private decorate(mark: Mark, range: Range): monaco.editor.IModelDeltaDecoration[] {
    const offset = this.model.getOffsetAt({ lineNumber: range.startLineNumber, column: range.startColumn })
    const spans = mark.look === 'failed' ? errorSpan(mark) : (unknownOf(mark)?.spans ?? maskedSpans(mark))
    // Edited since: the offsets within it hold no more.
    const same = this.model.getValueInRange(range) === mark.text
    const inline = same ? spans.map((span) => this.toRange(offset + span.start, offset + span.end)) : []
    const firstLineEnd = this.model.getLineMaxColumn(range.startLineNumber)
    return decorations(mark, { range, firstLineEnd, inline })
  }

  private colorOf(look: Mark['look']): string {
    const { tone } = looks[look]
    const key = tone === 'ended' ? 'text-3' : tone === 'info' ? 'accent' : (`${tone}-fg` as const)
    // Asking the page for a colour makes it lay itself out.
    const color = this.colors.get(key) ?? toHex(readTokens([key])[key])
    this.colors.set(key, color)
    return color
  }

  private toRange(start: number, end: number): Range {
    const a = this.model.getPositionAt(start)
    const b = this.model.getPositionAt(end)
    return { startLineNumber: a.lineNumber, startColumn: a.column, endLineNumber: b.lineNumber, endColumn: b.column }
  }

  private syncZones(marks: readonly Mark[]): void {
    const wanted = new Set(marks.filter(hasZone).map((mark) => mark.id))
    for (const id of [...this.zones.keys()]) if (!wanted.has(id)) this.removeZone(id)
    for (const mark of marks) if (hasZone(mark) && !this.zones.has(mark.id)) this.addZone(mark.id)
  }

  private addZone(id: string): void {
    const node = this.zoneNode(id)
    const line = this.shown.get(id)?.decorations.getRange(0)?.endLineNumber ?? 1
    const zone: monaco.editor.IViewZone = {
      afterLineNumber: line,
      heightInPx: 110,
      domNode: document.createElement('div'),
      onDomNodeTop: (top) => {
        node.style.top = `${top}px`
      },
    }
    const widget: monaco.editor.IOverlayWidget = {
      getId: () => `zone-${id}`,
      getDomNode: () => node,
      getPosition: () => null,
    }
    this.editor.addOverlayWidget(widget)
    let zoneId = ''
    this.editor.changeViewZones((accessor) => {
      zoneId = accessor.addZone(zone)
    })
    const observer = new ResizeObserver(() => {
      // Hidden with its tab: keep the height it had.
      const height = node.offsetHeight
      if (height === 0 || height === zone.heightInPx) return
      zone.heightInPx = height
      this.editor.changeViewZones((accessor) => accessor.layoutZone(zoneId))
      this.revealZone(id)
    })
    observer.observe(node)
    this.zones.set(id, { node, widget, zoneId, zone, observer })
    this.placeZones()
  }

  /** Scrolls just so far that a new block is seen whole. */
  private revealZone(id: string): void {
    const zone = this.zones.get(id)
    const line = this.shown.get(id)?.decorations.getRange(0)?.endLineNumber
    if (zone === undefined || line === undefined) return
    const bottom = this.editor.getTopForLineNumber(line) + 24 + (zone.zone.heightInPx ?? 0)
    const hidden = bottom - (this.editor.getScrollTop() + this.editor.getLayoutInfo().height)
    if (hidden > 0) this.editor.setScrollTop(this.editor.getScrollTop() + hidden)
  }

  private removeZone(id: string): void {
    const zone = this.zones.get(id)
    if (zone === undefined) return
    zone.observer.disconnect()
    this.editor.changeViewZones((accessor) => accessor.removeZone(zone.zoneId))
    this.editor.removeOverlayWidget(zone.widget)
    this.zones.delete(id)
    this.nodes.delete(id)
  }

  /** Under the statements, where they are now. */
  private moveZones(): void {
    if (this.zones.size === 0) return
    this.editor.changeViewZones((accessor) => {
      for (const [id, zone] of this.zones) {
        const line = this.shown.get(id)?.decorations.getRange(0)?.endLineNumber
        if (line === undefined || line === zone.zone.afterLineNumber) continue
        zone.zone.afterLineNumber = line
        accessor.layoutZone(zone.zoneId)
      }
    })
  }

  /** From the code's left edge to the ruler. */
  private placeZones(): void {
    const { contentLeft, width, verticalScrollbarWidth } = this.editor.getLayoutInfo()
    for (const { node } of this.zones.values()) {
      node.style.left = `${contentLeft}px`
      node.style.width = `${width - contentLeft - verticalScrollbarWidth - 16}px`
    }
  }
}

/** The word at which the target stopped, or the name that is wrong. */
function errorSpan(mark: Mark): UnknownName['spans'] {
  const at = mark.error?.position
  if (at === undefined) return unknownOf(mark)?.spans ?? []
  const word = /^\S+/.exec(mark.text.slice(at))?.[0] ?? ''
  return [{ start: at, end: at + Math.max(1, word.length) }]
}
