import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'

const style = `:root{color-scheme:light dark}body{margin:0;min-height:100vh;display:grid;place-items:center;
font:15px/1.5 Inter,system-ui,sans-serif;background:Canvas;color:CanvasText}main{max-width:26rem;padding:2rem;text-align:center}
h1{font-size:20px;margin:0 0 .5rem;font-weight:600}p{margin:0;opacity:.75}`

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
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>${html(heading)} · Sallyport</title><style>${style}</style>` +
      `<main><h1>${html(heading)}</h1><p>${html(text)}</p></main></html>`,
  )
}

function html(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
}
