import { FitAddon } from '@xterm/addon-fit'
import { SearchAddon } from '@xterm/addon-search'
import { WebglAddon } from '@xterm/addon-webgl'
import { type IDecoration, type IMarker, Terminal } from '@xterm/xterm'
import { type Look, looks } from '../decisions/words.ts'
import { readTokens, toHex } from '../theme/colors.ts'
import { lookOf, rowsOf } from './blocks.ts'
import { MaskMarks } from './mask-marks.ts'
import type { Said, Screen } from './runtime.ts'

/** An annotation's place in the terminal; `node` is where its block is drawn, when it has one on the screen. */
export interface Placed {
  said: Said
  marker: IMarker
  node: HTMLElement | undefined
}

export interface TerminalScreen extends Screen {
  readonly terminal: Terminal
  fit(): void
  /** Whether what comes next begins a line. */
  atLineStart(): boolean
  refreshTheme(): void
  /** Annotations with their places, in order. */
  placed(): readonly Placed[]
  /** Calls back when a place, a block's node or the scroll position has changed. */
  onChange(listener: () => void): () => void
  /** Marks every place with the text and goes to the next (1) or the one before (-1); an empty text marks none. */
  find(text: string, step: 1 | -1): void
  /** Calls back with where a search is; `count` is 0 when nothing is found. */
  onFound(listener: (found: { at: number; count: number }) => void): () => void
  /** Pixels from the screen's top to a marker's line. */
  topOf(marker: IMarker, lines?: number): number
  dispose(): void
}

/** A row's height before the screen has been measured. */
const rowHeight = 18

/** xterm in `host`, with room for the gateway's words between its lines. */
export function openScreen(host: HTMLElement, options: { readOnly?: boolean } = {}): TerminalScreen {
  const terminal = new Terminal({
    fontFamily: '"JetBrains Mono", ui-monospace, monospace',
    fontSize: 12.5,
    lineHeight: 1.06,
    letterSpacing: 0,
    scrollback: 20_000,
    cursorBlink: false,
    allowProposedApi: true,
    disableStdin: options.readOnly ?? false,
    overviewRuler: { width: 12 },
    screenReaderMode: false,
    theme: xtermTheme(),
  })
  // A shell gets every key, and F6 leads on; in a recording Tab leads on, as everywhere.
  if (options.readOnly) terminal.attachCustomKeyEventHandler((event) => event.key !== 'Tab')
  const fit = new FitAddon()
  terminal.loadAddon(fit)
  const search = new SearchAddon()
  terminal.loadAddon(search)
  terminal.open(host)
  loadWebgl(terminal)
  const placed: Placed[] = []
  const listeners = new Set<() => void>()
  const changed = () => {
    for (const listener of listeners) listener()
  }
  const subscriptions = [terminal.onScroll(changed), terminal.onRender(changed), terminal.onResize(changed)]
  const write = (text: string) => new Promise<void>((resolve) => terminal.write(text, resolve))
  const masks = new MaskMarks(terminal)

  return {
    terminal,
    write: async (text) => {
      masks.before()
      await write(text)
      masks.after(text)
    },
    annotate: async (said) => {
      const { annotation } = said
      const buffer = terminal.buffer.active
      const rows = rowsOf(annotation)
      const { tone } = looks[lookOf(annotation)]
      // Full-screen programs own every cell: the strip under the pane and the rail say it instead.
      const inline = rows > 0 && buffer.type === 'normal'
      if (inline && buffer.cursorX > 0) await write('\r\n')
      const marker = terminal.registerMarker(0)
      const entry: Placed = { said, marker, node: undefined }
      placed.push(entry)
      if (inline) {
        const decoration = terminal.registerDecoration({
          marker,
          height: rows,
          width: terminal.cols,
          layer: 'top',
          overviewRulerOptions: { color: toneColor(tone), position: 'full' },
        })
        draw(decoration, entry, rows, changed)
        await write('\r\n'.repeat(rows))
      }
      changed()
    },
    fit: () => {
      if (host.offsetWidth > 0 && host.offsetHeight > 0) fit.fit()
    },
    atLineStart: () => terminal.buffer.active.cursorX === 0,
    refreshTheme: () => {
      terminal.options.theme = xtermTheme()
    },
    placed: () => placed,
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    find: (text, step) => {
      if (text === '') search.clearDecorations()
      else if (step === 1) search.findNext(text, { incremental: false, decorations: matchColors() })
      else search.findPrevious(text, { decorations: matchColors() })
    },
    onFound: (listener) => {
      const found = search.onDidChangeResults(({ resultIndex, resultCount }) =>
        listener({ at: resultIndex + 1, count: resultCount }),
      )
      return () => found.dispose()
    },
    topOf: (marker, lines = 0) =>
      (marker.line + lines - terminal.buffer.active.viewportY) * cellHeight(host, terminal.rows),
    dispose: () => {
      for (const subscription of subscriptions) subscription.dispose()
      listeners.clear()
      terminal.dispose()
    },
  }
}

/** A tone's colour for the overview ruler, which wants it as text. */
function toneColor(tone: Look['tone']): string {
  const key = tone === 'ended' || tone === 'info' ? 'allowed-fg' : (`${tone}-fg` as const)
  return readTokens([key])[key]
}

/** How matches of a search are marked: all of them, and the one that it stands on. */
function matchColors() {
  const t = readTokens(['surface-control-hover', 'accent-fill', 'accent'] as const)
  const accent = toHex(t.accent)
  return {
    matchBackground: toHex(t['surface-control-hover']),
    matchBorder: accent,
    matchOverviewRuler: accent,
    activeMatchBackground: toHex(t['accent-fill']),
    activeMatchColorOverviewRuler: accent,
  }
}

/** React draws into the decoration's element; xterm places it, and takes it away when it leaves the screen. */
function draw(decoration: IDecoration | undefined, entry: Placed, rows: number, changed: () => void): void {
  decoration?.onRender((element) => {
    element.style.width = '100%'
    element.style.zIndex = '8'
    element.dataset.rows = String(rows)
    if (entry.node === element) return
    entry.node = element
    changed()
  })
  decoration?.onDispose(() => {
    entry.node = undefined
    changed()
  })
}

function cellHeight(host: HTMLElement, rows: number): number {
  const screen = host.querySelector('.xterm-screen')
  return screen instanceof HTMLElement && rows > 0 ? screen.offsetHeight / rows : rowHeight
}

/** The GPU draws where it can; a lost context goes back to the DOM by itself. */
function loadWebgl(terminal: Terminal): void {
  try {
    const webgl = new WebglAddon()
    webgl.onContextLoss(() => webgl.dispose())
    terminal.loadAddon(webgl)
  } catch (error) {
    console.info('No WebGL here: the terminal draws with the DOM.', error)
  }
}

function xtermTheme() {
  const t = readTokens([
    'term-bg',
    'term-fg',
    'term-dim',
    'term-prompt',
    'term-host',
    'term-ok',
    'term-warn',
    'blocked-fg',
    'masked-fg',
    'syn-func',
    'syn-selection',
    'text',
    'line',
  ] as const)
  return {
    background: t['term-bg'],
    foreground: t['term-fg'],
    overviewRulerBorder: t.line,
    cursor: t.text,
    cursorAccent: t['term-bg'],
    selectionBackground: t['syn-selection'],
    black: t['term-bg'],
    red: t['blocked-fg'],
    green: t['term-ok'],
    yellow: t['term-warn'],
    blue: t['term-prompt'],
    magenta: t['term-host'],
    cyan: t['syn-func'],
    white: t['term-fg'],
    brightBlack: t['term-dim'],
    brightRed: t['blocked-fg'],
    brightGreen: t['term-ok'],
    brightYellow: t['term-warn'],
    brightBlue: t['term-prompt'],
    brightMagenta: t['masked-fg'],
    brightCyan: t['syn-func'],
    brightWhite: t.text,
  }
}
