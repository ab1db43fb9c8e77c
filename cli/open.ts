import { spawn } from 'node:child_process'

/** Opens an address in the person's browser. Rejects when there is none to be had; the caller shows the address anyway. */
export function openInBrowser(url: string): Promise<void> {
  if (process.env.SALLYPORT_NO_BROWSER !== undefined) return Promise.resolve()
  const [command, args] = opener(url)
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'ignore', detached: true })
    child.once('error', reject)
    child.once('spawn', () => {
      child.unref()
      resolve()
    })
  })
}

function opener(url: string): [string, string[]] {
  if (process.platform === 'darwin') return ['open', [url]]
  // Not `start`: a shell would read the address.
  if (process.platform === 'win32') return ['rundll32', ['url.dll,FileProtocolHandler', url]]
  return ['xdg-open', [url]]
}
