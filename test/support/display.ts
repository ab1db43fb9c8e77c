import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { PNG } from 'pngjs'
import { end, run, which } from './run.ts'

/** A screen without a monitor, where native programs show what they show. */
export interface Display {
  /** For `DISPLAY`. */
  name: string
  shot(): Promise<PNG>
  close(): Promise<void>
}

/** Whether this machine can show a desktop to a test: an X server, FreeRDP, ImageMagick; and has the demo's desktop (xrdp, as root). */
export const canShowDesktops =
  process.getuid?.() === 0 &&
  ['Xvfb', 'xfreerdp', 'import', 'xrdp', 'xrdp-sesman', 'openbox', 'xterm'].every(
    (program) => which(program) !== undefined,
  )

/**
 * `-noreset`: else it starts anew whenever its last client leaves, each screenshot among them, and turns away who comes meanwhile.
 * `-r`: a key whose release comes late on a busy machine is no other key.
 */
export const screenArgs = ['-screen', '0', '1280x900x24', '-nolisten', 'tcp', '-noreset', '-r'] as const

export async function openDisplay(): Promise<Display> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-display-'))
  const args = ['-displayfd', '1', ...screenArgs]
  const server = spawn('Xvfb', args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const [number] = await once(createInterface({ input: server.stdout }), 'line')
  const name = `:${String(number)}`
  const file = join(folder, 'screen.png')
  return {
    name,
    shot: async () => {
      const { code, stderr } = await run('import', ['-window', 'root', file], { env: { DISPLAY: name } })
      if (code !== 0) throw new Error(stderr)
      return PNG.sync.read(await readFile(file))
    },
    close: async () => {
      await end(server)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** How much of a picture is white, from 0 to 1: the demo's desktop has one large white window on black. */
export function whiteness({ data }: { data: Uint8Array }): number {
  let white = 0
  for (let i = 0; i < data.length; i += 4) if (data[i] === 255 && data[i + 1] === 255 && data[i + 2] === 255) white += 1
  return white / (data.length / 4)
}
