import { readFile, realpath, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import { messageOf } from '../main/problem.ts'

export interface Asset {
  body: Buffer
  type: string
  /** Its name changes with its content. */
  immutable: boolean
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.ttf': 'font/ttf',
  '.wasm': 'application/wasm',
}

/** Reads files of the built renderer by URL path. Throws when it has not been built. */
export async function openAssets(dir: string): Promise<(path: string) => Promise<Asset | undefined>> {
  const root = await realpath(dir).catch((error: unknown) => {
    throw new Error(`The client's pages are not built (${messageOf(error)}). Run: npm run build`)
  })
  return async (path) => {
    const name = path === '/' ? '/index.html' : path
    // Names of a build are plain; anything else is no file of ours.
    if (!/^(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/.test(name)) return undefined
    const type = types[extname(name)]
    if (type === undefined) return undefined
    const file = await realpath(join(root, name)).catch(() => undefined)
    if (file === undefined || !file.startsWith(root + sep) || !(await stat(file)).isFile()) return undefined
    return { body: await readFile(file), type, immutable: name.startsWith('/assets/') }
  }
}
