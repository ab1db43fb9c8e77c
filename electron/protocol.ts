import { readFile, realpath, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'

/** The page's own origin: `app://sallyport`. A standard, secure scheme, so that storage, modules and workers work as on the web. */
export const pageScheme = 'app'
export const pageOrigin = 'app://sallyport'
export const pageUrl = `${pageOrigin}/index.html`

export const schemePrivileges = {
  scheme: pageScheme,
  privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true },
} as const

/**
 * Scripts come from the page's own files alone, and so does WASM (the viewer of desktops); nothing is asked of any server, and nothing
 * frames or is framed. Styles may be inline: the editor, the grid and the component library make them as they go. Workers may be
 * blobs: the editor's are.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-src 'none'",
  "frame-ancestors 'none'",
  "object-src 'none'",
].join('; ')

const headers = {
  'content-security-policy': contentSecurityPolicy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'clipboard-write=(self), clipboard-read=(), camera=(), microphone=(), geolocation=()',
} as const

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.ttf': 'font/ttf',
  '.wasm': 'application/wasm',
}

/** Names of a build are plain: no dots in front, no escapes, no way up. */
const plainPath = /^(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/

/**
 * Serves the built renderer in `dir` to `app://sallyport`, and nothing else to anybody. Rejects when it has not been built.
 */
export async function openPages(dir: string): Promise<(request: { url: string; method: string }) => Promise<Response>> {
  const root = await realpath(dir).catch(() => {
    throw new Error(`The client's pages are not built: ${dir} is missing. Run: npm run build`)
  })
  return async ({ url, method }) => {
    const { origin, host, pathname } = parts(url)
    if (origin !== pageOrigin || host !== 'sallyport') return refuse(404)
    if (method !== 'GET' && method !== 'HEAD') return refuse(405)
    const name = pathname === '/' ? '/index.html' : pathname
    const type = types[extname(name)]
    if (!plainPath.test(name) || type === undefined) return refuse(404)
    const file = await realpath(join(root, name)).catch(() => undefined)
    if (file === undefined || !file.startsWith(root + sep) || !(await stat(file)).isFile()) return refuse(404)
    const body = method === 'HEAD' ? null : new Uint8Array(await readFile(file))
    return new Response(body, { headers: { ...headers, 'content-type': type } })
  }
}

/** True for addresses of the page itself. */
export function isPage(url: string): boolean {
  return parts(url).origin === pageOrigin
}

/** Node gives schemes that it does not know no origin, so it is put together here. */
function parts(url: string): { origin: string; host: string; pathname: string } {
  if (!URL.canParse(url)) return { origin: '', host: '', pathname: '' }
  const { protocol, host, pathname } = new URL(url)
  return { origin: `${protocol}//${host}`, host, pathname }
}

function refuse(status: 404 | 405): Response {
  return new Response(null, { status, headers })
}
