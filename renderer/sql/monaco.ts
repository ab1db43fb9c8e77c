import * as monaco from 'monaco-editor/editor/editor.api.js'
import EditorWorker from 'monaco-editor/editor/editor.worker.js?worker'
import 'monaco-editor/features/bracketMatching/register.js'
import 'monaco-editor/features/caretOperations/register.js'
import 'monaco-editor/features/clipboard/register.js'
import 'monaco-editor/features/codicon/register.js'
import 'monaco-editor/features/comment/register.js'
import 'monaco-editor/features/contextmenu/register.js'
import 'monaco-editor/features/cursorUndo/register.js'
import 'monaco-editor/features/find/register.js'
import 'monaco-editor/features/gotoLine/register.js'
import 'monaco-editor/features/hover/register.js'
import 'monaco-editor/features/indentation/register.js'
import 'monaco-editor/features/lineSelection/register.js'
import 'monaco-editor/features/linesOperations/register.js'
import 'monaco-editor/features/multicursor/register.js'
import 'monaco-editor/features/parameterHints/register.js'
import 'monaco-editor/features/placeholderText/register.js'
import 'monaco-editor/features/smartSelect/register.js'
import 'monaco-editor/features/snippet/register.js'
// The feature of that name registers inline completions alone.
import 'monaco-editor/editor/contrib/suggest/browser/suggestController.js'
import 'monaco-editor/features/wordHighlighter/register.js'
import 'monaco-editor/features/wordOperations/register.js'
import { readTokens, toHex } from '../theme/colors.ts'
import { schemeOf, type ThemeName } from '../theme/theme.tsx'
import { configuration, languageId, tokens } from './language.ts'

// Monaco's own hook for its one worker; it has no other way to be told.
self.MonacoEnvironment = { getWorker: () => new EditorWorker() }

monaco.languages.register({ id: languageId })
monaco.languages.setLanguageConfiguration(languageId, configuration)
monaco.languages.setMonarchTokensProvider(languageId, tokens)

/** Monaco's themes are made from the tokens, once per theme change. */
export function applyTheme(name: ThemeName): void {
  const t = readTokens([
    'surface-base',
    'surface-overlay',
    'text',
    'text-3',
    'line',
    'line-strong',
    'focus',
    'hover',
    'accent-tint',
    'accent-fg',
    'blocked-fg',
    'syn-keyword',
    'syn-string',
    'syn-number',
    'syn-ident',
    'syn-func',
    'syn-op',
    'syn-comment',
    'syn-line-no',
    'syn-line-no-active',
    'syn-current-line',
    'syn-selection',
    'surface-input',
    'line-control',
    'accent-line',
    'held-tint',
  ] as const)
  const color = (key: keyof typeof t) => toHex(t[key])
  const rule = (token: string, key: keyof typeof t) => ({ token, foreground: color(key).slice(1) })
  monaco.editor.defineTheme(`sallyport-${name}`, {
    base: schemeOf(name) === 'light' ? 'vs' : 'vs-dark',
    inherit: true,
    rules: [
      rule('', 'syn-ident'),
      rule('keyword', 'syn-keyword'),
      rule('operator', 'syn-op'),
      rule('delimiter', 'syn-op'),
      rule('string', 'syn-string'),
      rule('number', 'syn-number'),
      rule('predefined', 'syn-func'),
      rule('identifier', 'syn-ident'),
      rule('comment', 'syn-comment'),
    ],
    colors: {
      'editor.background': color('surface-base'),
      'editor.foreground': color('syn-ident'),
      'editorLineNumber.foreground': color('syn-line-no'),
      'editorLineNumber.activeForeground': color('syn-line-no-active'),
      'editor.lineHighlightBackground': color('syn-current-line'),
      'editor.lineHighlightBorder': '#00000000',
      'editor.selectionBackground': color('syn-selection'),
      'editor.inactiveSelectionBackground': color('hover'),
      'editorCursor.foreground': color('text'),
      'editorOverviewRuler.border': color('line'),
      'editorOverviewRuler.errorForeground': color('blocked-fg'),
      'editorError.foreground': color('blocked-fg'),
      'editorHoverWidget.background': color('surface-overlay'),
      'editorHoverWidget.border': color('line-strong'),
      'editorHoverWidget.foreground': color('text'),
      'editorHoverWidget.highlightForeground': color('accent-fg'),
      'editorSuggestWidget.background': color('surface-overlay'),
      'editorSuggestWidget.border': color('line-strong'),
      'editorSuggestWidget.foreground': color('text'),
      'editorSuggestWidget.selectedForeground': color('text'),
      'editorSuggestWidget.highlightForeground': color('accent-fg'),
      'editorSuggestWidget.focusHighlightForeground': color('accent-fg'),
      'editorWidget.background': color('surface-overlay'),
      'editorWidget.border': color('line-strong'),
      'editorSuggestWidget.selectedBackground': color('accent-tint'),
      'input.background': color('surface-input'),
      'input.foreground': color('text'),
      'input.border': color('line-control'),
      'input.placeholderForeground': color('text-3'),
      'inputOption.activeBackground': color('accent-tint'),
      'inputOption.activeBorder': color('accent-line'),
      'inputOption.activeForeground': color('text'),
      'editor.findMatchBackground': color('accent-line'),
      'editor.findMatchHighlightBackground': color('held-tint'),
      'menu.background': color('surface-overlay'),
      'menu.foreground': color('text'),
      'menu.border': color('line-strong'),
      'menu.selectionBackground': color('accent-tint'),
      'menu.selectionForeground': color('text'),
      'menu.separatorBackground': color('line'),
      'quickInput.background': color('surface-overlay'),
      'quickInput.foreground': color('text'),
      'quickInputList.focusBackground': color('accent-tint'),
      'quickInputList.focusForeground': color('text'),
      'pickerGroup.border': color('line'),
      'widget.shadow': '#00000000',
      focusBorder: color('focus'),
      'scrollbarSlider.background': color('accent-tint'),
    },
  })
  monaco.editor.setTheme(`sallyport-${name}`)
}

export { monaco }
