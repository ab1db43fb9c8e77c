import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { logo } from '../../shared/logo.ts'

/** The colours of the design's tokens: it stands between the gateway's pages and the app. */
const style = `:root{color-scheme:dark;--base:#14181d;--text:#e8ebef;--text2:#b0b8c3;--fill:#2f66e4}
@media (prefers-color-scheme:light){:root{color-scheme:light;--base:#fff;--text:#14191f;--text2:#414b57;--fill:#2a62e3}}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--base);color:var(--text);
font:13px/20px Inter,-apple-system,BlinkMacSystemFont,"Segoe UI",system-ui,sans-serif}main{max-width:400px;padding:24px}
svg{display:block;margin-bottom:20px}
h1{font-size:24px;line-height:30px;margin:0 0 8px;font-weight:600;text-wrap:balance}p{margin:0;color:var(--text2)}`

const styleHash = createHash('sha256').update(style).digest('base64')

/** Headers for a page that runs nothing, is framed by nobody and leaves no trace. */
const headers = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; frame-ancestors 'none'; base-uri 'none'`,
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  connection: 'close',
} as const

/** Answers the browser tab of a sign-in with one heading and one sentence. */
export function answerPage(response: ServerResponse, status: number, heading: string, text: string): void {
  response.writeHead(status, headers)
  response.end(
    `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${html(heading)} · Sallyport</title><style>${style}</style>` +
      `<main>${logo}<h1>${html(heading)}</h1><p>${html(text)}</p></main></html>`,
  )
}

function html(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
}
