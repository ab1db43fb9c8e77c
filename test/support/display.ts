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
const screenSize = { width: 1280, height: 900 }

/** The top left corner of a screen, by way of `file`; as bare pixels, since packing and unpacking each picture costs four times as much. */
export async function shoot(display: string, size: { width: number; height: number }, file: string): Promise<PNG> {
  const crop = ['-crop', `${size.width}x${size.height}+0+0`, '+repage']
  const args = ['-window', 'root', ...crop, '-depth', '8', `rgba:${file}`]
  const { code, stderr } = await run('import', args, { env: { DISPLAY: display } })
  if (code !== 0) throw new Error(stderr)
  // What it is given it writes its own settings into.
  return Object.assign(new PNG({ ...size }), { data: await readFile(file) })
}

export async function openDisplay(): Promise<Display> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-display-'))
  const args = ['-displayfd', '1', ...screenArgs]
  const server = spawn('Xvfb', args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const [number] = await once(createInterface({ input: server.stdout }), 'line')
  const name = `:${String(number)}`
  const file = join(folder, 'screen')
  return {
    name,
    shot: () => shoot(name, screenSize, file),
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
