import { splitStatements } from '../../../shared/sql/split.ts'
import { languageId } from '../language.ts'
import { monaco } from '../monaco.ts'
import type { CatalogIndex } from './catalog.ts'
import { describe } from './describe.ts'
import { type Found, lookUp } from './lookup.ts'
import { scopeAt } from './scope.ts'
import { type Call, callAt, fitting, parametersOf, signatureText } from './signatures.ts'
import { type Suggestion, suggest, suggestValues } from './suggest.ts'
import { isInLiteral, tokenize } from './tokens.ts'
import { valuePlace, wantsValue } from './values.ts'

const kinds = monaco.languages.CompletionItemKind

/** Monaco's kinds stand for its icons; `Issue` is drawn as a lock (editor.css). */
const icons: Readonly<Record<Suggestion['kind'], monaco.languages.CompletionItemKind>> = {
  column: kinds.Field,
  masked: kinds.Issue,
  table: kinds.Struct,
  view: kinds.Interface,
  schema: kinds.Module,
  cte: kinds.Variable,
  alias: kinds.Variable,
  function: kinds.Function,
  keyword: kinds.Keyword,
  join: kinds.Reference,
  snippet: kinds.Snippet,
  type: kinds.TypeParameter,
  value: kinds.EnumMember,
}

/** The nearest text around the cursor that is split: whole statements, without those far away. A millisecond's work. */
const reach = 20_000

interface Here {
  sql: string
  /** Offset of the statement in the text. */
  start: number
  /** Offset of the cursor in the statement. */
  offset: number
}

/** The statement around a position, with what is unfinished right behind it. */
export function statementAround(model: monaco.editor.ITextModel, position: monaco.IPosition): Here {
  const at = model.getOffsetAt(position)
  const whole = model.getValueLength() <= 2 * reach
  const base = whole ? 0 : Math.max(0, at - reach)
  const text = whole
    ? model.getValue()
    : model.getValueInRange(monaco.Range.fromPositions(model.getPositionAt(base), model.getPositionAt(at + reach)))
  const offset = at - base
  const found = splitStatements(text).find((s) => s.start <= offset && (offset < s.after || s.after === text.length))
  if (found === undefined) return { sql: '', start: at, offset: 0 }
  const sql = text.slice(found.start, Math.max(found.end, Math.min(offset, found.after)))
  return { sql, start: base + found.start, offset: offset - found.start }
}

/** Completion and hover for one editor's text. `catalog` resolves once it is known; undefined when it can't be had. */
export function provide(
  own: monaco.editor.ITextModel,
  catalog: () => Promise<CatalogIndex | undefined>,
): monaco.IDisposable {
  const completion = monaco.languages.registerCompletionItemProvider(languageId, {
    triggerCharacters: ['.', ' ', ':', "'"],
    async provideCompletionItems(model, position, context, token) {
      if (model !== own) return { suggestions: [] }
      const { sql, offset } = statementAround(model, position)
      const scope = scopeAt(sql, offset)
      const trigger = context.triggerCharacter
      const inText = isInLiteral(sql, scope.tokens, offset)
      if (trigger === ':' && scope.expecting !== 'type') return { suggestions: [] }
      // After a blank only where something certain comes: a table, a join, a condition, a value. That there is nothing is said at once:
      // a letter that comes meanwhile would not be asked for.
      const certain = ['table', 'join', 'condition'].includes(scope.expecting)
      const blank = trigger === ' ' && !certain
      if (blank && !wantsValue(scope)) return { suggestions: [] }
      const index = await catalog()
      if (index === undefined) return { suggestions: [] }
      const place = valuePlace(sql, offset, scope, index)
      const values = place === undefined ? [] : suggestValues(place, index)
      if (blank && values.length === 0) return { suggestions: [] }
      // A list that is open is brought up to date at once: the next key may choose from it.
      const opens = context.triggerKind !== monaco.languages.CompletionTriggerKind.TriggerForIncompleteCompletions
      if (opens) await keysFirst()
      if (token.isCancellationRequested || model.isDisposed()) return { suggestions: [] }
      const at = model.getOffsetAt(position)
      const rangeOf = (before: number, behind: number) =>
        monaco.Range.fromPositions(model.getPositionAt(at - before), model.getPositionAt(at + behind))
      if (inText || trigger === "'") {
        const { text } = place ?? {}
        if (text === undefined) return { suggestions: [] }
        const range = rangeOf(offset - text.start, text.end - offset)
        return { suggestions: values.map((one) => itemOf(one, range, false)) }
      }
      const word = sql.slice(scope.from, offset)
      const range = rangeOf(word.length, 0)
      // With the first letter it is asked again, for what was left out without one.
      const all = [...values, ...suggest(scope, index, word)]
      const suggestions = all.map((one) => itemOf(one, range, word === word.toLowerCase()))
      if (opens) await keysFirst()
      return { suggestions, incomplete: word === '' }
    },
  })
  const hover = monaco.languages.registerHoverProvider(languageId, {
    async provideHover(model, position) {
      const index = model === own ? await catalog() : undefined
      const found = index && !model.isDisposed() ? findAt(model, position, index) : undefined
      if (index === undefined || found === undefined) return undefined
      const { code, notes } = describe(found.meaning, index)
      return {
        range: found.range,
        contents: [
          { value: `\`\`\`${languageId}\n${code}\n\`\`\`` },
          ...notes.map((value) => ({ value: plain(value) })),
        ],
      }
    },
  })
  const signature = monaco.languages.registerSignatureHelpProvider(languageId, {
    signatureHelpTriggerCharacters: ['(', ','],
    signatureHelpRetriggerCharacters: [')'],
    async provideSignatureHelp(model, position) {
      if (model !== own) return undefined
      const { sql, offset } = statementAround(model, position)
      const tokens = tokenize(sql)
      const index = await catalog()
      const call = index && callAt(tokens, offset, index)
      return call && { value: signatureHelpOf(call), dispose: () => undefined }
    },
  })
  return {
    dispose: () => {
      completion.dispose()
      hover.dispose()
      signature.dispose()
    },
  }
}

/**
 * Reading the statement, finding what fits and drawing the list are a task each, so that a key that comes meanwhile waits for one of them
 * and not for all.
 */
const keysFirst = () => new Promise((resolve) => setTimeout(resolve))

/** What stands at a position, with its place in the text. */
export function findAt(
  model: monaco.editor.ITextModel,
  position: monaco.IPosition,
  index: CatalogIndex,
): (Found & { range: monaco.Range; base: number }) | undefined {
  const { sql, start, offset } = statementAround(model, position)
  const found = lookUp(sql, offset, index)
  if (found === undefined) return undefined
  const from = model.getPositionAt(start + found.start)
  const to = model.getPositionAt(start + found.end)
  return { ...found, base: start, range: monaco.Range.fromPositions(from, to) }
}

function signatureHelpOf({ function: routine, argument, given }: Call): monaco.languages.SignatureHelp {
  const signatures = routine.signatures.map((one) => {
    const parameters = parametersOf(one)
    return {
      label: signatureText(routine, one),
      parameters: placesOf(routine.name, parameters),
      ...(one.comment === undefined ? {} : { documentation: one.comment }),
      // Whatever comes behind a VARIADIC parameter is part of it.
      activeParameter: Math.min(argument, Math.max(parameters.length - 1, 0)),
    }
  })
  return { signatures, activeSignature: fitting(routine, given), activeParameter: argument }
}

/** Where the parameters stand in the text of a signature. */
function placesOf(name: string, parameters: readonly string[]): monaco.languages.ParameterInformation[] {
  let at = name.length + 1
  return parameters.map((parameter) => {
    const label: [number, number] = [at, at + parameter.length]
    at += parameter.length + ', '.length
    return { label }
  })
}

/** `small`: what is written is in small letters, for which Monaco would put names in capitals behind all others. */
function itemOf(one: Suggestion, range: monaco.IRange, small: boolean): monaco.languages.CompletionItem {
  return {
    label: { label: one.label, description: one.note.length > 60 ? `${one.note.slice(0, 59)}…` : one.note },
    kind: icons[one.kind],
    insertText: one.insert,
    ...(one.fill ? { insertTextRules: monaco.languages.CompletionItemInsertTextRule.InsertAsSnippet } : {}),
    ...(one.kind === 'masked' ? { detail: one.note } : {}),
    ...(one.more === undefined ? {} : { documentation: one.more.join('\n') }),
    filterText: small ? one.label.toLowerCase() : one.label,
    sortText: `${one.rank.toFixed(3)}${one.label}`,
    range,
  }
}

/** Markdown that shows the text as it is. */
function plain(text: string): string {
  return text.replaceAll(/[\\`*_{}[\]()#+\-.!<>|~]/g, '\\$&')
}
