import type { InspectorPort } from '../port.ts'
import type { Beginning } from './beginning.ts'
import type { TargetCatalog } from './catalog/catalog.ts'
import { Outbox } from './frames.ts'
import { type Foreseen, Gate } from './gate.ts'
import { Line } from './line.ts'
import { StateReader } from './state.ts'
import type { Script } from './statements.ts'
import { Texts } from './text/texts.ts'

/** What a session that just began would decide on a text, or why it would not be read. */
export type Foresight = { ok: true; statements: readonly Foreseen[] } | { ok: false; message: string }

export interface ForeseeOptions {
  port: InspectorPort
  catalog: TargetCatalog
  beginning: Beginning
  /** The account at the target. */
  account: string
  /** More than these are not decided on. */
  most: number
}

/** Decides as a session does, on its own ground, with no target behind it: nothing runs, nobody is asked, nothing is recorded. */
export async function foresee(text: string, options: ForeseeOptions): Promise<Foresight> {
  const { port, catalog, beginning, account, most } = options
  const line = new Line({ port, target: catalog, account, fail: () => undefined })
  line.begin(beginning.parameters)
  if (!line.setPath(beginning.searchPath, beginning.role)) throw new Error('the target says a search_path that is none')
  // Nothing of the session is left to be asked for, and nothing is sent.
  const gate = new Gate(line, new StateReader(line, new Outbox(), () => undefined), () => undefined)
  const bytes = Buffer.from(text)
  if (bytes.includes(0)) return { ok: false, message: 'It has a NUL in it, which no statement has.' }
  return new Promise((resolve, reject) => {
    const read = new Texts(line, gate).read(bytes, 0, bytes.length, async (text, script) =>
      resolve(await decided(gate, text, script, most)),
    )
    read?.catch(reject)
  })
}

async function decided(gate: Gate, text: string, script: Script, most: number): Promise<Foresight> {
  if (!script.ok) return { ok: false, message: script.message }
  const { length } = script.statements
  if (length <= most) return { ok: true, statements: await gate.foresee(text, script) }
  return { ok: false, message: `There are ${length} statements in it, and at most ${most} are looked at at once.` }
}
