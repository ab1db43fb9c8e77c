import { type MemorySession, memorySession, quiet } from '../../agent/inspect/postgres/testing/memory.ts'
import { sqlstates } from '../../shared/annotation.ts'
import { inItsOwnTime } from './clock.ts'
import type { Corpus } from './corpus.ts'
import { chunksOf, type Input, type Tamper } from './input.ts'
import type { Learned } from './learn.ts'
import { ModelTarget } from './model.ts'
import type { Random } from './random.ts'
import { FuzzPort, stable } from './watch.ts'
import { frame, framesOf } from './wire.ts'

/** How the same bytes arrive. */
export type Arrival =
  /** As the input says. */
  | 'whole'
  /** In pieces, with time to act between them; the other side waits until all are there. */
  | 'pieces'
  /** In pieces, and the target answers as soon as it can. */
  | 'eager'

export interface Seen {
  toClient: Buffer
  toTarget: Buffer
  events: readonly ReturnType<typeof stable>[]
  requests: readonly unknown[]
  reason: string | undefined
  /** The target's frames as they were before anybody tampered with them. */
  answers: readonly Buffer[]
  /** Frames that went in, from both sides. */
  frames: number
  problems: readonly string[]
}

export interface Ground {
  corpus: Corpus
  learned: Learned
  /** Nothing is seen on the recording: every statement that runs is a problem then. For a test of the fuzzer. */
  deaf?: boolean
}

/** Runs one input through one session. */
export async function run(ground: Ground, input: Input, arrival: Arrival, random: Random): Promise<Seen> {
  return inItsOwnTime(() => new Run(ground, input, arrival, random).all())
}

const closing = [frame('f', Buffer.from('over\0')), frame('S', Buffer.alloc(0)), frame('Q', Buffer.from('select 2\0'))]

class Run {
  readonly #input: Input
  readonly #arrival: Arrival
  readonly #random: Random
  readonly #port = new FuzzPort()
  readonly #session: MemorySession
  readonly #model: ModelTarget
  readonly #toClient: Buffer[] = []
  readonly #toTarget: Buffer[] = []
  readonly #answers: Buffer[] = []
  readonly #problems: string[] = []
  /** Numbers of the requests that ran. */
  readonly #ran = new Set<number>()
  #frames = 0
  #fatal = false
  readonly #deaf: boolean

  constructor({ corpus, learned, deaf = false }: Ground, input: Input, arrival: Arrival, random: Random) {
    this.#deaf = deaf
    this.#input = input
    this.#arrival = arrival
    this.#random = random
    this.#model = new ModelTarget(learned, (text) => this.#runs(text))
    this.#session = memorySession({
      port: this.#port,
      catalog: corpus.catalog,
      toClient: (chunk) => {
        this.#toClient.push(chunk)
        if (chunk.includes('SFATAL\0')) this.#fatal = true
      },
      toTarget: (chunk) => {
        if (this.#fatal && !chunk.equals(terminate))
          this.#problem(
            `something was forwarded after the session had ended: ${JSON.stringify(chunk.toString('latin1'))}`,
          )
        this.#toTarget.push(chunk)
        this.#model.hear(chunk)
      },
    })
  }

  async all(): Promise<Seen> {
    const chunks = chunksOf(this.#input.pieces)
    for (const { from, bytes } of chunks) {
      await (from === 'client' ? this.#client(bytes) : this.#target(bytes, false))
    }
    await this.#converse()
    await this.#closing()
    this.#session.stop('The run is over.')
    await quiet()
    this.#session.client.kill()
    this.#session.target?.kill()
    await this.#session.done
    this.#check()
    return {
      toClient: Buffer.concat(this.#toClient),
      toTarget: Buffer.concat(this.#toTarget),
      events: this.#port.events.map(stable),
      requests: this.#port.requests,
      reason: this.#session.end?.reason,
      answers: this.#answers,
      frames: this.#frames,
      problems: this.#problems,
    }
  }

  get #ended(): boolean {
    return this.#fatal || this.#session.end !== undefined
  }

  #problem(words: string): void {
    this.#problems.push(words)
  }

  async #client(bytes: Buffer): Promise<void> {
    this.#frames += framesOf(bytes)?.frames.length ?? 1
    for (const piece of this.#cut(bytes)) {
      this.#session.client.say(piece)
      await quiet()
      if (this.#arrival === 'eager') await this.#converse()
    }
    await this.#converse()
  }

  async #target(bytes: Buffer, honest: boolean): Promise<void> {
    const { target } = this.#session
    if (target === undefined) return
    this.#frames += framesOf(bytes)?.frames.length ?? 1
    for (const piece of this.#cut(bytes)) {
      const ended = this.#ended
      target.say(piece)
      // The client's own faults come to light later, when something that waits goes on.
      if (honest && !ended && this.#fatal) this.#problem('the session ended over what an honest target said')
      // What the client may do between two answers is a matter of timing, and not the same for the same bytes.
      if (this.#arrival === 'eager') await quiet()
    }
    await quiet()
  }

  #cut(bytes: Buffer): Buffer[] {
    if (this.#arrival === 'whole') return [bytes]
    const out: Buffer[] = []
    const most = Math.max(this.#random.pick([1, 5, 20, 90, 400, 400]) ?? 1, bytes.length >> 6)
    for (let at = 0; at < bytes.length; ) {
      const end = at + 1 + this.#random.below(most)
      out.push(bytes.subarray(at, end))
      at = end
    }
    return out
  }

  /** Whoever was asked answers, until nobody has anything to say. */
  async #converse(): Promise<void> {
    for (;;) {
      await quiet()
      const decided = this.#port.decideHeld()
      const answers = this.#model.take()
      if (!decided && answers.length === 0) return
      if (!this.#input.live) continue
      const { tampers } = this.#input
      const first = this.#answers.length
      this.#answers.push(...answers)
      const said = answers.flatMap((one, i) => tampered(one, tampers, first + i))
      if (said.length > 0) await this.#target(Buffer.concat(said), tampers.length === 0)
    }
  }

  /** With a target that keeps to the protocol, whatever the client did before: the session still answers, or it ended. */
  async #closing(): Promise<void> {
    const { live, tampers, pieces } = this.#input
    if (!live || tampers.length > 0 || this.#ended || this.#model.left || this.#session.client.over) return
    const said = Buffer.concat(pieces.map((one) => one.bytes))
    const rest = framesOf(said.subarray(said.length < 4 ? 0 : Math.max(0, said.readInt32BE(0))))?.rest
    if (rest === undefined || rest.length > 0) return
    const before = Buffer.concat(this.#toClient).length
    if (before === 0) return
    await this.#client(Buffer.concat(closing))
    const heard = framesOf(Buffer.concat(this.#toClient).subarray(before))?.frames ?? []
    if (this.#ended) return
    if (heard.at(-1)?.type !== 'Z') this.#problem('the session hangs: its last question was not answered')
  }

  /** The target runs a text: each of its statements has an event on the recording that no other used. */
  #runs(text: string): void {
    if (!this.#input.live || text.includes('sallyport: refused') || own.test(text)) return
    // Letters of other encodings read differently here, and nothing but semicolons runs nothing.
    if (!/^[ -~\s]*$/.test(text) || /^[\s;]*$/.test(text)) return
    const admitted = this.#deaf ? [] : this.#port.admitted
    let from = 0
    let found = 0
    for (const { n, text: recorded } of admitted) {
      if (this.#ran.has(n)) continue
      const plain = recorded.split('\n-- $1 = ')[0] ?? ''
      const end = text === 'function call' ? text.length : endOf(plain, text, from)
      if (end === undefined || plain === '') continue
      this.#ran.add(n)
      found++
      from = end
      if (from >= text.trimEnd().length || text === 'function call') break
    }
    if (found === 0) this.#problem(`it ran without an event on the recording: ${text}`)
  }

  #check(): void {
    const { reason } = this.#session.end ?? {}
    if (reason !== undefined && internal.test(reason))
      this.#problem(`the session ended by a fault of our own: ${reason}`)
    const { fault } = this.#model
    if (fault !== undefined) this.#problem(`the target was sent no sequence of messages: ${fault}`)
    const heard = framesOf(Buffer.concat(this.#toClient))
    if (heard === undefined) this.#problem('the client was sent no sequence of messages')
    if (!this.#input.live || this.#input.tampers.length > 0) return
    const { lost, gotPassword } = this.#model
    if (gotPassword) this.#problem('the target was sent a password that it did not ask for')
    if (lost !== undefined) this.#problem(`the target lost a message to COPY: ${lost}`)
    this.#checkMasked()
  }

  /** With an honest target, no value of a masked column reaches the client. */
  #checkMasked(): void {
    for (const { type, bytes } of framesOf(Buffer.concat(this.#toClient))?.frames ?? []) {
      if ((type === 'D' || type === 'd') && secret.test(bytes.toString('latin1'))) {
        this.#problem(`a masked value reached the client: ${bytes.toString('latin1', 5)}`)
      }
    }
  }
}

const terminate = frame('X', Buffer.alloc(0))
/** The inspector's own questions. */
const own = /^(SHOW (search_path|role)$|SELECT coalesce\(\(SELECT nspname)/
/** ssn and email of the recorded customers. */
const secret = /900-00-\d{4}|c\d+@example\.com/
const internal =
  /recording of this session could not be written|internal fault|Cannot read prop|is not a function|is not iterable|out of range/

function tampered(bytes: Buffer, tampers: readonly Tamper[], at: number): Buffer[] {
  let out = [bytes]
  for (const one of tampers) {
    if (one.at !== at) continue
    if (one.how === 'drop') out = []
    else if (one.how === 'twice') out = [...out, ...out]
    else if (one.how === 'before') out = [one.bytes, ...out]
    else out = [one.bytes]
  }
  return out
}

/** Runs an input as it is and in pieces, and compares. Every problem that was found. */
export async function examine(
  ground: Ground,
  input: Input,
  random: Random,
): Promise<{ seen: Seen; problems: string[]; frames: number }> {
  const whole = await run(ground, input, 'whole', random)
  const pieces = await run(ground, input, 'pieces', random)
  const problems = [...whole.problems, ...pieces.problems]
  let { frames } = whole
  frames += pieces.frames
  if (problems.length === 0) problems.push(...differences(whole, pieces))
  if (input.live) {
    const eager = await run(ground, input, 'eager', random)
    frames += eager.frames
    problems.push(...eager.problems)
  }
  return { seen: whole, problems, frames }
}

function differences(a: Seen, b: Seen): string[] {
  const out: string[] = []

  if (plain(a.toTarget) !== plain(b.toTarget)) out.push('the target is sent other bytes when they come in pieces')
  if (steady(a.toClient) !== steady(b.toClient)) out.push('the client is sent other bytes when they come in pieces')
  if (a.reason !== b.reason) out.push(`the session ends otherwise when bytes come in pieces: ${a.reason} / ${b.reason}`)
  if (recorded(a) !== recorded(b)) out.push('the recording differs when bytes come in pieces')
  if (JSON.stringify(a.requests) !== JSON.stringify(b.requests)) out.push('decisions differ when bytes come in pieces')
  return out
}

/** By their kind: the two sides and the people who decide do not keep step, and a long row takes longer when it comes in pieces. */
function recorded({ events }: Seen): string {
  const kinds = Object.groupBy(events, ({ type }) => type)
  return JSON.stringify(Object.entries(kinds).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Without the random part of the names that the inspector uses at the target. */
function plain(bytes: Buffer): string {
  return bytes.toString('latin1').replaceAll(/sallyport [0-9a-f]{12}/g, 'sallyport')
}

/** Without the session's random cancel key, and without how long statements took. */
function steady(bytes: Buffer): string {
  const read = framesOf(bytes)
  if (read === undefined) return bytes.toString('latin1')
  const said = read.frames.map(({ type, bytes: frame }) => {
    if (type === 'K') return 'K'
    return isTime(type, frame) ? 'time' : frame.toString('latin1')
  })
  return said.join('') + read.rest.toString('latin1')
}

function isTime(type: string, frame: Buffer): boolean {
  return type === 'N' && frame.includes(`C${sqlstates.timed}\0`)
}

/** Where what was recorded ends in the text that ran; undefined: it is not there. Literals may be left out of it. */
function endOf(recorded: string, text: string, from: number): number | undefined {
  if (!recorded.includes('•••')) {
    const at = text.indexOf(recorded, from)
    return at < 0 ? undefined : at + recorded.length
  }
  const parts = recorded.split(/'?•••'?/).map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  const found = new RegExp(parts.join('.*?'), 'gs')
  found.lastIndex = from
  return found.test(text) ? found.lastIndex : undefined
}
