import type { StatementRange } from '../../../shared/sql/split.ts'
import { looks } from '../../decisions/words.ts'
import type { EditorMarks } from '../editor-marks.ts'
import { hasZone, hintDecorations, type Range } from '../marks.ts'
import { monaco } from '../monaco.ts'
import { isOpen, type Mark } from '../run-state.ts'
import { unknownIn } from '../unknown.ts'
import { createPreflight, type Preflight, type PreflightPorts } from './preflight.ts'
import { sessionNames } from './session-names.ts'
import { heavier, hintOf, lookOf, sentencesOf, type Verdict } from './verdict.ts'

/** A pause in typing after which the text is read again. */
const pauseMs = 200
/** Beyond this nobody reads a gutter. */
const longestText = 1_000_000
const owner = 'postgresql'
/** Verdicts of our own that are kept. */
const mostLaters = 200

interface Statement {
  text: string
  start: number
  end: number
}

interface Shown {
  verdict: Verdict
  decorations: monaco.editor.IEditorDecorationsCollection
}

export interface PainterOptions extends Omit<PreflightPorts, 'onChange' | 'now' | 'after'> {
  editor: monaco.editor.IStandaloneCodeEditor
  model: monaco.editor.ITextModel
  marks: EditorMarks
  /** The statements of a text around an offset, the nearest first. */
  nearest(text: string, middle: number): Promise<readonly StatementRange[]>
  /** Marks of earlier runs whose statements have changed since, and of which the gateway says something else now. */
  onStale(ids: readonly string[]): void
}

/**
 * Draws beside each statement that has not been run as it stands what the gateway would do with it, and what PostgreSQL's parser says.
 * A keystroke only starts a timer and takes away what it made untrue.
 */
export class PreflightPainter {
  private readonly options: PainterOptions
  private readonly preflight: Preflight
  private readonly listeners: monaco.IDisposable[] = []
  private statements: readonly Statement[] = []
  /** Of the text that `statements` are of. */
  private version = 0
  private shown: Shown[] = []
  private timer: ReturnType<typeof setTimeout> | undefined
  private frame = 0
  /** The statement that each mark stood beside when it was first seen: a run may have been of a part of it. */
  private readonly stoodBeside = new Map<string, string>()
  /** What `statements` name that only their session can tell of; read from them once that is asked. */
  private sessionNamed: ReadonlyMap<Statement, string> | undefined
  private readonly laters = new Map<string, Verdict>()

  constructor(options: PainterOptions) {
    this.options = options
    this.preflight = createPreflight({
      ...options,
      onChange: () => this.paintSoon(),
      now: () => performance.now(),
      after: (ms, run) => {
        const timer = setTimeout(run, ms)
        return () => clearTimeout(timer)
      },
    })
    const { editor, model } = options
    this.listeners.push(
      model.onDidChangeContent((event) => {
        this.unpaint(event.changes)
        this.readSoon()
      }),
      editor.onDidScrollChange((event) => {
        if (event.scrollTopChanged) this.readSoon()
      }),
    )
    void this.read()
  }

  /** Policies, grants or tables have changed. */
  forget(): void {
    this.preflight.forget()
    this.paintSoon()
  }

  /** Marks of runs have come or gone. */
  refresh(): void {
    this.paintSoon()
  }

  dispose(): void {
    clearTimeout(this.timer)
    cancelAnimationFrame(this.frame)
    this.preflight.dispose()
    for (const listener of this.listeners) listener.dispose()
    for (const { decorations } of this.shown) decorations.clear()
    monaco.editor.setModelMarkers(this.options.model, owner, [])
  }

  /** A statement that is being edited has no verdict. */
  private unpaint(changes: readonly monaco.editor.IModelContentChange[]): void {
    this.shown = this.shown.filter(({ decorations }) => {
      const at = decorations.getRange(0)
      const touched = at !== null && changes.some(({ range }) => monaco.Range.areIntersectingOrTouching(at, range))
      if (touched) decorations.clear()
      return !touched
    })
  }

  private readSoon(): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.read(), pauseMs)
  }

  private async read(): Promise<void> {
    const { model } = this.options
    if (model.isDisposed()) return
    const text = model.getValueLength() > longestText ? '' : model.getValue()
    const version = model.getVersionId()
    const nearest = await this.options.nearest(text, this.middle())
    // Changed meanwhile: it will be read again.
    if (model.isDisposed() || model.getVersionId() !== version) return
    this.version = version
    this.statements = nearest.map(({ start, end }) => ({ text: text.slice(start, end), start, end }))
    this.sessionNamed = undefined
    this.preflight.want(this.statements.map((statement) => statement.text))
    this.paintSoon()
  }

  /** Offset in the middle of what is seen. */
  private middle(): number {
    const { editor, model } = this.options
    const [seen] = editor.getVisibleRanges()
    if (seen === undefined) return 0
    const line = Math.floor((seen.startLineNumber + seen.endLineNumber) / 2)
    return model.getOffsetAt({ lineNumber: line, column: 1 })
  }

  private paintSoon(): void {
    cancelAnimationFrame(this.frame)
    this.frame = requestAnimationFrame(() => this.paint())
  }

  private paint(): void {
    const { model, marks, onStale } = this.options
    // About to be read again: the offsets are those of the text before.
    if (model.isDisposed() || this.version !== model.getVersionId()) return
    const all = marks.placed()
    // What was deleted whole has nothing left to stand beside.
    const gone = all.filter((r) => monaco.Range.isEmpty(r.range) && !isOpen(r.mark))
    // A script may have run thousands: only those beside the statements that are looked at are read.
    const span = this.spanOf(this.statements)
    const ran = all
      .filter((r) => span !== undefined && monaco.Range.areIntersecting(r.range, span))
      .map((r) => ({ ...r, text: model.getValueInRange(r.range) }))
    const stale: string[] = gone.map((r) => r.mark.id)
    const known = new Set(all.map((r) => r.mark.id))
    for (const id of this.stoodBeside.keys()) if (!known.has(id)) this.stoodBeside.delete(id)
    const lines = new Map<number, { range: Range; verdict: Verdict }>()
    const problems: monaco.editor.IMarkerData[] = []
    for (const statement of this.statements) {
      const verdict = this.verdictOf(statement)
      const range = this.rangeOf(statement.start, statement.end)
      const over = ran.filter((r) => r.text.trim() !== '' && monaco.Range.areIntersecting(r.range, range))
      const outdated = over.filter((r) => this.isEdited(r, statement) && outlived(r.mark, verdict))
      stale.push(...outdated.map((r) => r.mark.id))
      if (verdict === undefined) continue
      if (verdict.kind === 'invalid') problems.push(this.markerOf(statement, verdict))
      if (over.length > outdated.length) continue
      if (verdict.kind === 'blocked') problems.push(...this.unknownNames(statement, verdict.detail ?? ''))
      const there = lines.get(range.startLineNumber)
      if (there !== undefined && heavier(there.verdict, verdict) === there.verdict) continue
      lines.set(range.startLineNumber, { range, verdict })
    }
    this.show([...lines.values()])
    monaco.editor.setModelMarkers(model, owner, problems)
    if (stale.length > 0) onStale(stale)
  }

  /** What would happen; where only the session can tell, not what the gateway says without it. */
  private verdictOf(statement: Statement): Verdict | undefined {
    const verdict = this.preflight.verdict(statement.text)
    if (verdict?.kind !== 'blocked') return verdict
    this.sessionNamed ??= sessionNames(this.statements.toSorted((a, b) => a.start - b.start))
    const what = this.sessionNamed.get(statement)
    return what === undefined ? verdict : this.later(statement.text, what)
  }

  /** The same object for the same words: what is drawn already stays as it is. */
  private later(text: string, what: string): Verdict {
    const key = `${what}\n${text}`
    const there = this.laters.get(key)
    if (there !== undefined) return there
    const made: Verdict = { kind: 'later', what }
    if (this.laters.size >= mostLaters) this.laters.clear()
    this.laters.set(key, made)
    return made
  }

  /** Whether the statement beside a mark is another by now than the one that it stood beside first. */
  private isEdited({ mark, text }: { mark: Mark; text: string }, statement: Statement): boolean {
    const first = this.stoodBeside.get(mark.id) ?? (text === mark.text ? statement.text : '')
    this.stoodBeside.set(mark.id, first)
    return statement.text !== first
  }

  /** Draws these alone. What is drawn already stays as it is: each change makes Monaco lay out its line again. */
  private show(wanted: readonly { range: Range; verdict: Verdict }[]): void {
    const { editor, model } = this.options
    const before = new Map(this.shown.map((shown) => [shown.decorations.getRange(0)?.startLineNumber, shown]))
    this.shown = wanted.map(({ range, verdict }) => {
      const there = before.get(range.startLineNumber)
      const at = there?.decorations.getRange(0)
      if (there?.verdict === verdict && monaco.Range.equalsRange(at, range)) {
        before.delete(range.startLineNumber)
        return there
      }
      const lineEnd = model.getLineMaxColumn(range.startLineNumber)
      return { verdict, decorations: editor.createDecorationsCollection(decorate(verdict, range, lineEnd)) }
    })
    for (const { decorations } of before.values()) decorations.clear()
  }

  /** From the first of these statements to the end of the last. */
  private spanOf(statements: readonly Statement[]): Range | undefined {
    if (statements.length === 0) return undefined
    const starts = statements.map(({ start }) => start)
    const ends = statements.map(({ end }) => end)
    return this.rangeOf(Math.min(...starts), Math.max(...ends))
  }

  private rangeOf(start: number, end: number): Range {
    const a = this.options.model.getPositionAt(start)
    const b = this.options.model.getPositionAt(end)
    return { startLineNumber: a.lineNumber, startColumn: a.column, endLineNumber: b.lineNumber, endColumn: b.column }
  }

  /** Names that nothing is known by. */
  private unknownNames({ text, start }: Statement, why: string): monaco.editor.IMarkerData[] {
    const unknown = unknownIn(text, why)
    return (unknown?.spans ?? []).map((span) => ({
      ...this.rangeOf(start + span.start, start + span.end),
      severity: monaco.MarkerSeverity.Error,
      message: unknown?.sentence ?? '',
    }))
  }

  /** The word at which the parser stopped; the one before the end, where there is none. */
  private markerOf(
    statement: Statement,
    { problem }: Extract<Verdict, { kind: 'invalid' }>,
  ): monaco.editor.IMarkerData {
    const { text, start } = statement
    const rest = text.slice(problem.position)
    const word = /^(?:[\w$\u0080-\uffff]+|\S)/.exec(rest)?.[0] ?? ''
    const from = word === '' ? Math.max(0, text.length - 1) : problem.position
    return {
      ...this.rangeOf(start + from, start + (word === '' ? text.length : from + word.length)),
      severity: monaco.MarkerSeverity.Error,
      message: problem.message,
      source: 'PostgreSQL',
    }
  }
}

/**
 * Whether what was said of a statement before it was edited is past: at once where it ran, a block not until what is written now would not be
 * blocked.
 */
function outlived(mark: Mark, verdict: Verdict | undefined): boolean {
  if (isOpen(mark)) return false
  if (mark.look !== 'blocked' || !hasZone(mark)) return true
  if (verdict === undefined) return false
  return !(verdict.kind === 'invalid' || (verdict.kind === 'blocked' && verdict.policy.id === mark.blocked?.policy.id))
}

function decorate(verdict: Verdict, range: Range, lineEnd: number): monaco.editor.IModelDeltaDecoration[] {
  const { icon, tone } = looks[lookOf(verdict)]
  const hover = { value: escapeMarkdown(sentencesOf(verdict)) }
  const first = { ...range, endLineNumber: range.startLineNumber, endColumn: range.startColumn }
  const whole: monaco.editor.IModelDeltaDecoration = {
    range,
    options: { stickiness: 1 },
  }
  const glyph: monaco.editor.IModelDeltaDecoration = {
    range: first,
    options: {
      stickiness: 1,
      glyphMarginClassName: `glyph glyph--pre glyph--${icon} d-${tone}`,
      glyphMarginHoverMessage: hover,
    },
  }
  const hint = hintOf(verdict)
  if (hint === undefined) return [whole, glyph]
  const parts = [
    { text: hint.word, className: `hint hint--pre hint--${icon} d-${tone}` },
    { text: hint.what, className: 'hint__t' },
    { text: hint.policy, className: 'hint__p' },
  ]
  const end = { ...first, startColumn: lineEnd, endColumn: lineEnd }
  const hints = hintDecorations(
    parts.filter((part) => part.text !== ''),
    end,
  )
  return [whole, glyph, ...hints]
}

function escapeMarkdown(text: string): string {
  return text.replaceAll(/[\\`*_{}[\]()#+\-.!<>|~]/g, '\\$&')
}
