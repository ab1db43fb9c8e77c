import { write as say } from '../annotations.ts'
import type { Gate } from '../gate.ts'
import { again, type Later } from '../later.ts'
import type { Line } from '../line.ts'
import { longestStatement, tooLong } from '../parser.ts'
import type { Script } from '../statements.ts'
import { decode } from './encoding.ts'
import { namesReadAlike } from './identifiers.ts'
import { saysAll, shortened } from './shortened.ts'
import { withEscapeStrings } from './strings.ts'
import { readsAnyWay, unnamedText } from './unnamed.ts'

/** What a text says hangs on settings, some of which the target has yet to tell. */
export class Texts {
  readonly #line: Line
  readonly #gate: Gate

  constructor(line: Line, gate: Gate) {
    this.#line = line
    this.#gate = gate
  }

  /** Decodes a text and takes it apart, waiting where names are unsettled. */
  read(buf: Buffer, start: number, end: number, act: (text: string, script: Script) => Later): Later {
    const line = this.#line
    const text = decode(buf, start, end, line.letters)
    if (
      text === undefined ||
      text.length > longestStatement ||
      line.readingMoves ||
      (line.wide && !namesReadAlike(text, line.server)) ||
      !line.conforming ||
      this.#gate.unsettled
    ) {
      const unnamed = unnamedText(buf, start, end)
      const asItIs = unnamed === undefined ? undefined : this.#gate.unnamed(unnamed)
      if (unnamed !== undefined && asItIs !== undefined) return act(unnamed, asItIs)
      return this.#readLater(buf, start, end, act)
    }
    const script = this.#gate.script(text)
    if (!(script instanceof Promise)) return act(text, script)
    return script.then((one) => again(line, () => act(text, one)))
  }

  async #readLater(
    buf: Buffer,
    start: number,
    end: number,
    act: (text: string, script: Script) => Later,
  ): Promise<void> {
    // A SET client_encoding may be on its way.
    await this.#gate.settle()
    if (this.#line.readingMoves && !readsAnyWay(buf, start, end)) await this.#line.settled()
    const { encoding, letters, wide, server } = this.#line
    const sent = decode(buf, start, end, letters)
    const read = sent === undefined || this.#line.conforming ? sent : withEscapeStrings(sent)
    const like = read === undefined || !wide || namesReadAlike(read, server) ? read : undefined
    const long = like !== undefined && like.length > longestStatement
    const text = long ? shortened(like) : like
    const script = await (text === undefined
      ? this.#gate.unreadable(whyUnread({ sent, read, long, encoding }))
      : this.#gate.script(text))
    const whole =
      !long ||
      !script.ok ||
      script.statements.every(({ analysis }) => saysAll(analysis.node, text?.slice(analysis.start, analysis.end) ?? ''))
    const readable = whole ? script : this.#gate.unreadable(tooLong)
    await again(this.#line, () => act(text ?? sent ?? '', readable))
  }

  /** Our words on a text that is not read here. */
  syntaxError(text: string, script: Extract<Script, { ok: false }>): Buffer {
    const { message, position } = script
    // What the parser of the newest PostgreSQL finds wrong beyond syntax, older ones find when it runs, and show no place for it.
    const placed = position !== undefined && message.startsWith('syntax error')
    return say({
      severity: 'ERROR',
      sqlstate: '42601',
      message,
      ...(!placed ? {} : { position: [...text.slice(0, position)].length + 1 }),
    })
  }
}

function whyUnread(how: {
  sent?: string | undefined
  read?: string | undefined
  long: boolean
  encoding: string
}): string {
  const { sent, read, long, encoding } = how
  if (sent === undefined)
    return `Letters in the client encoding ${encoding} can not be read here: SET client_encoding TO UTF8, and send it again.`
  if (long) return tooLong
  if (read === undefined) return 'With standard_conforming_strings off, the strings in it can not be read here.'
  return 'A name beyond ASCII in it can not be read as the server reads it: put it in quotes, in at most 15 letters that the server has once each. Prepared statements and cursors need names in ASCII.'
}
