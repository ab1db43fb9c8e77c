import './editor.css'
import { type ReactNode, useEffect, useEffectEvent, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import type { Writer } from '../dock/workspace.ts'
import type { ThemeName } from '../theme/theme.tsx'
import { type EditorHandle, EditorMarks } from './editor-marks.ts'
import { languageId } from './language.ts'
import { hasZone } from './marks.ts'
import { applyTheme, monaco } from './monaco.ts'
import type { Mark } from './run-state.ts'

interface Props {
  label: string
  text: string
  theme: ThemeName
  /** Of the code, in pixels. */
  fontSize: number
  marks: readonly Mark[]
  /** The editor begins: who hears, at each key, that its text is another, and in the end. */
  writer(read: () => string): Writer
  onReady(handle: EditorHandle): void
  /** `rewritten`: another text stands there by now. */
  zone(mark: Mark, rewritten: boolean): ReactNode
  /** Help that lives with the editor; ends with it. */
  assist(parts: EditorParts): Assistance
}

export interface EditorParts {
  editor: monaco.editor.IStandaloneCodeEditor
  model: monaco.editor.ITextModel
  marks: EditorMarks
}

export interface Assistance {
  /** The marks have changed. */
  refresh(): void
  dispose(): void
}

/** Monaco, with the gateway's decisions in its gutter, beside its lines and between them. */
export function SqlEditor({ label, text, theme, fontSize, marks, writer, onReady, zone, assist }: Props) {
  const host = useRef<HTMLDivElement>(null)
  const [shown, setShown] = useState<EditorMarks | undefined>(undefined)
  const [rewritten, setRewritten] = useState<readonly string[]>([])
  const begin = useEffectEvent(writer)
  const ready = useEffectEvent(onReady)
  const help = useEffectEvent(assist)
  const assistance = useRef<Assistance | undefined>(undefined)
  const first = useRef({ text, label, fontSize })
  const instance = useRef<monaco.editor.IStandaloneCodeEditor | undefined>(undefined)

  useEffect(() => {
    if (host.current === null) return
    const model = monaco.editor.createModel(first.current.text, languageId)
    const editor = monaco.editor.create(host.current, {
      ...options,
      ...sizes(first.current.fontSize),
      model,
      ariaLabel: `SQL, ${first.current.label}`,
    })
    // An option of the model, which the first editor of a page sets to its default.
    model.updateOptions({ bracketColorizationOptions: plainBrackets })
    instance.current = editor
    const editorMarks = new EditorMarks(editor, model)
    const writing = begin(() => model.getValue())
    const listener = model.onDidChangeContent(() => {
      writing.changed()
      setRewritten((before) => unlessSame(before, editorMarks.rewritten()))
    })
    const helping = help({ editor, model, marks: editorMarks })
    assistance.current = helping
    setShown(editorMarks)
    ready(editorMarks.handle())
    editor.focus()
    return () => {
      writing.end()
      helping.dispose()
      assistance.current = undefined
      listener.dispose()
      editorMarks.dispose()
      instance.current = undefined
      editor.dispose()
      model.dispose()
      setShown(undefined)
    }
  }, [])

  useEffect(() => {
    applyTheme(theme)
    shown?.refresh()
  }, [theme, shown])
  useEffect(() => instance.current?.updateOptions(sizes(fontSize)), [fontSize])
  useEffect(() => {
    if (shown === undefined) return
    shown.show(marks)
    setRewritten((before) => unlessSame(before, shown.rewritten()))
    assistance.current?.refresh()
  }, [shown, marks])

  return (
    <div className="ed-host">
      <div className="ed-monaco" data-work ref={host} />
      {shown &&
        marks
          .filter(hasZone)
          .map((mark) => createPortal(zone(mark, rewritten.includes(mark.id)), shown.zoneNode(mark.id), mark.id))}
    </div>
  )
}

/** The list from before where the new one holds the same: then nothing is drawn. */
function unlessSame(before: readonly string[], now: readonly string[]): readonly string[] {
  return before.length === now.length && before.every((id, i) => id === now[i]) ? before : now
}

/** Lines are 20 px at the design's 12.5 px, and in that measure at any other. */
function sizes(fontSize: number): { fontSize: number; lineHeight: number } {
  return { fontSize, lineHeight: Math.round(fontSize * 1.6) }
}

/** Pairs in colours cost part of every key, and say little in SQL. */
const plainBrackets = { enabled: false, independentColorPoolPerBracketType: false }

const options: monaco.editor.IStandaloneEditorConstructionOptions = {
  automaticLayout: true,
  fontFamily: '"JetBrains Mono", ui-monospace, monospace',
  fontLigatures: false,
  minimap: { enabled: false },
  glyphMargin: true,
  folding: false,
  lineNumbersMinChars: 4,
  lineDecorationsWidth: 22,
  padding: { top: 8, bottom: 8 },
  scrollBeyondLastLine: false,
  renderLineHighlight: 'line',
  overviewRulerLanes: 1,
  overviewRulerBorder: true,
  hideCursorInOverviewRuler: true,
  occurrencesHighlight: 'off',
  selectionHighlight: false,
  // Costs part of every key, and says little in SQL.
  guides: { indentation: false },
  wordBasedSuggestions: 'off',
  quickSuggestions: { other: true, comments: false, strings: false },
  quickSuggestionsDelay: 60,
  suggest: { showWords: false, preview: false, localityBonus: false, filterGraceful: true },
  suggestSelection: 'first',
  // What is written in full already is no choice: Enter is a new line.
  acceptSuggestionOnEnter: 'smart',
  unicodeHighlight: { ambiguousCharacters: false },
  fixedOverflowWidgets: true,
  // Within a shadow root its menu would find none of the theme's colours.
  useShadowDOM: false,
  tabSize: 2,
  scrollbar: { verticalScrollbarSize: 12, horizontalScrollbarSize: 10, useShadows: false },
  placeholder: 'Write SQL, then run the statement at the cursor.',
}
