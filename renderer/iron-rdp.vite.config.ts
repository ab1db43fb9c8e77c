import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vite'

const moduleName = /iron-remote-desktop-rdp\.js$/
const inlined = /"data:application\/wasm;base64,([A-Za-z0-9+/=]+)"/
const socket = 'new WebSocket('

/**
 * IronRDP's package holds its WASM as a `data:` address and opens a WebSocket of its own. The page's policy allows neither: the WASM
 * becomes a file of the page's origin, and the WebSocket our own, whose bytes go by RPC (`rdp/viewer/socket.ts`). A version of the
 * package that is made differently fails the build.
 */
export function ironRdp(): Plugin {
  return {
    name: 'sallyport:iron-rdp',
    apply: 'build',
    enforce: 'pre',
    async load(id) {
      if (!moduleName.test(id)) return undefined
      const code = await readFile(id, 'utf8')
      const wasm = inlined.exec(code)
      const base64 = wasm?.[1]
      if (wasm === null || base64 === undefined || code.split(socket).length !== 2) {
        this.error('iron-remote-desktop-rdp is made differently from what renderer/iron-rdp.vite.config.ts knows')
      }
      const file = this.emitFile({ type: 'asset', name: 'iron-rdp.wasm', source: Buffer.from(base64, 'base64') })
      const own = fileURLToPath(new URL('rdp/viewer/socket.ts', import.meta.url))
      return [
        `import { ViewerSocket } from ${JSON.stringify(own)}`,
        code
          .replace(wasm[0], () => `new URL(import.meta.ROLLUP_FILE_URL_${file}, import.meta.url)`)
          .replace(socket, 'new ViewerSocket('),
      ].join('\n')
    },
  }
}
