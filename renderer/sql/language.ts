import type { languages } from 'monaco-editor/editor/editor.api.js'
import { keywords } from '../decisions/sql-words.ts'

export const languageId = 'sallyport-sql'

/** PostgreSQL for the eye: strings, dollar quotes and nested comments as its lexer has them. Decisions come from the gateway alone. */
export const tokens: languages.IMonarchLanguage = {
  ignoreCase: true,
  keywords: [...keywords],
  tokenizer: {
    root: [
      [/--.*$/, 'comment'],
      [/\/\*/, 'comment', '@comment'],
      [/(\$\w*\$)/, { token: 'string', next: '@dollar.$1' }],
      [/e'/, 'string', '@escaped'],
      [/'/, 'string', '@quoted'],
      [/"(?:[^"]|"")*"?/, 'identifier'],
      [/\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b/, 'number'],
      [/\$\d+/, 'number'],
      [
        /[a-z_\u0080-\uffff][\w$\u0080-\uffff]*(?=\s*\()/,
        { cases: { '@keywords': 'keyword', '@default': 'predefined' } },
      ],
      [/[a-z_\u0080-\uffff][\w$\u0080-\uffff]*/, { cases: { '@keywords': 'keyword', '@default': 'identifier' } }],
      [/[<>=!~%&|+\-*/^@#:]+/, 'operator'],
      [/[;,.()[\]]/, 'delimiter'],
    ],
    comment: [
      [/\/\*/, 'comment', '@push'],
      [/\*\//, 'comment', '@pop'],
      [/[^/*]+/, 'comment'],
      [/./, 'comment'],
    ],
    quoted: [
      [/[^']+/, 'string'],
      [/''/, 'string'],
      [/'/, 'string', '@pop'],
    ],
    escaped: [
      [/[^'\\]+/, 'string'],
      [/\\.|''/, 'string'],
      [/'/, 'string', '@pop'],
    ],
    dollar: [
      [/[^$]+/, 'string'],
      [/\$\w*\$/, { cases: { '$0==$S2': { token: 'string', next: '@pop' }, '@default': 'string' } }],
      [/\$/, 'string'],
    ],
  },
}

export const configuration: languages.LanguageConfiguration = {
  comments: { lineComment: '--', blockComment: ['/*', '*/'] },
  brackets: [
    ['(', ')'],
    ['[', ']'],
  ],
  autoClosingPairs: [
    // Nor brackets: within a string they would be part of the value.
    { open: '(', close: ')', notIn: ['string', 'comment'] },
    { open: '[', close: ']', notIn: ['string', 'comment'] },
    { open: "'", close: "'", notIn: ['string', 'comment'] },
    { open: '"', close: '"', notIn: ['string', 'comment'] },
  ],
}
