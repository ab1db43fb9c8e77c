import type { Annotation } from '../../../shared/annotation.ts'
import type { Masked } from '../../../shared/decision.ts'
import type { InspectorPort, TextMask } from '../port.ts'
import { type MaskCounts, TextMasker } from '../text/masker.ts'
import { OscStripper } from '../text/osc.ts'
import type { Outlet } from './flow.ts'
import { OutputRecorder } from './recorder.ts'
import { machineForm, recordingFailed, words } from './words.ts'

/** A stream without a newline for this long has shown its prompt: what is held back goes out. */
const idleMs = 15
/** Masks in a fast stream are told together, this far apart. */
const toldMs = 100
/** Of a command's output so much is recorded; a terminal's is recorded whole. */
export const recordedPerCommand = 1 << 20
const newline = 0x0a
const nothing: Passed = { text: Buffer.alloc(0), recorded: Buffer.alloc(0) }

export interface OutputOptions {
  port: InspectorPort
  outlet: Outlet
  terminal: boolean
  /** Output can't be shown or recorded any more; `reason` is for people. */
  failed(reason: string): void
  progress(): void
}

/**
 * What a program prints, on its way to the person: decisions that it forges are taken out, sensitive values masked. It is recorded as
 * shown, but for what is masked for others. Our own decisions join it at a safe place: on stderr, or, in a terminal, where a line begins.
 */
export class Output {
  readonly #options: OutputOptions
  readonly #recorder: OutputRecorder
  readonly #streams = { out: new MaskedStream(), err: new MaskedStream() }
  #epoch: number | undefined
  #idle: NodeJS.Timeout | undefined
  #telling: NodeJS.Timeout | undefined
  #counts = new Map<string, Masked & { count: number }>()
  readonly #told = new Set<string>()
  /** Annotations for a terminal that wait for the start of a line. */
  #lines: Buffer[] = []
  #ended = false
  #broken = false

  constructor(options: OutputOptions) {
    this.#options = options
    const { port, terminal, progress } = options
    const failed = (error: unknown): void => options.failed(recordingFailed(error))
    this.#recorder = new OutputRecorder({ port, cap: terminal ? undefined : recordedPerCommand, failed, progress })
  }

  get hasRoom(): boolean {
    return this.#recorder.hasRoom
  }

  push(data: Buffer, stderr: boolean): void {
    const stream = this.#stream(stderr)
    this.#guard(() => {
      this.#refreshMasks()
      this.#show(stream, stream.push(data), stderr)
    })
    if (stream.holding === 0) return
    if (this.#idle === undefined) this.#idle = setTimeout(() => this.#onIdle(), idleMs)
    else this.#idle.refresh()
  }

  /** The program will print no more. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#idle)
    for (const stderr of [false, true]) {
      const stream = this.#stream(stderr)
      this.#guard(() => this.#show(stream, stream.end(), stderr))
    }
    this.#tellMasks()
    this.#breakLine()
    this.#recorder.end()
  }

  /** Tells a decision at once, on a line of its own; with `now` false, in a terminal, after the line that comes next. */
  say(annotation: Annotation, now = true): void {
    const { port, terminal } = this.#options
    const machine = port.annotations === 'machine'
    const text = machine ? '' : words(annotation)
    if (!machine && text === '') return
    if (terminal) {
      this.#lines.push(machine ? machineForm(annotation) : Buffer.from(`\x1b[2m${text}\x1b[22m\r\n`))
      if (now) this.#breakLine()
      return
    }
    const stream = this.#stream(true)
    if (machine) {
      this.#send(machineForm(annotation), true)
      return
    }
    this.#send(Buffer.from(`${stream.atLineStart ? '' : '\n'}sallyport: ${text}\n`), true)
    stream.lineStarts()
  }

  #stream(stderr: boolean): MaskedStream {
    return stderr ? this.#streams.err : this.#streams.out
  }

  #refreshMasks(): void {
    const { port } = this.#options
    if (this.#epoch === port.epoch) return
    this.#epoch = port.epoch
    const [masks, recorded] = [port.textMasks(), port.recordMasks()]
    this.#streams.out.setMasks(masks, recorded)
    this.#streams.err.setMasks(masks, recorded)
  }

  #show(stream: MaskedStream, { text, recorded }: Passed, stderr: boolean): void {
    const { shown, onRecord } = stream.takeCounts()
    this.#count(shown)
    const inTerminal = this.#options.terminal && !stderr
    this.#record(recorded, stderr, onRecord, inTerminal)
    if (text.length === 0) return
    const lineEnd = inTerminal && this.#lines.length > 0 && !stream.fullScreen ? text.lastIndexOf(newline) + 1 : 0
    if (lineEnd > 0) {
      this.#send(text.subarray(0, lineEnd), stderr)
      this.#sendLines()
      this.#send(text.subarray(lineEnd), stderr)
    } else this.#send(text, stderr)
    stream.shown(text)
  }

  /** Masks are recorded where they are told: after the lines that they are in, before what follows. */
  #record(text: Buffer, stderr: boolean, counts: MaskCounts, inTerminal: boolean): void {
    const lineEnd = inTerminal ? text.lastIndexOf(newline) + 1 : 0
    const at = lineEnd > 0 ? lineEnd : text.length
    if (counts.size === 0) {
      if (text.length > 0) this.#recorder.push(text, stderr)
      return
    }
    if (at > 0) this.#recorder.push(text.subarray(0, at), stderr)
    this.#recorder.masked(counts)
    if (at < text.length) this.#recorder.push(text.subarray(at), stderr)
  }

  #onIdle(): void {
    this.#idle = undefined
    if (this.#ended) return
    for (const stderr of [false, true]) {
      const stream = this.#stream(stderr)
      this.#guard(() => this.#show(stream, stream.flush(), stderr))
    }
  }

  /** A mask that fails must not let anything through, now or later. */
  #guard(act: () => void): void {
    if (this.#broken) return
    try {
      act()
    } catch (error) {
      this.#broken = true
      const why = error instanceof Error ? error.message : String(error)
      this.#options.failed(`Output could not be masked, so none is shown: ${why}`)
    }
  }

  #count(counts: MaskCounts): void {
    if (counts.size === 0) return
    for (const [dataClass, { count, mask }] of counts) {
      const { policy, approval } = mask.unmask
      const seen = this.#counts.get(dataClass)?.count ?? 0
      const requestable = approval !== undefined
      this.#counts.set(dataClass, {
        source: '',
        label: dataClass,
        position: -1,
        dataClass,
        policy,
        requestable,
        count: seen + count,
      })
    }
    if (this.#telling !== undefined) return
    this.#tellMasks()
    this.#telling = setTimeout(() => {
      this.#telling = undefined
      if (this.#ended) return
      this.#tellMasks()
      if (this.#stream(false).atLineStart) this.#breakLine()
    }, toldMs)
  }

  /** People are told once about each class; the client draws every one. */
  #tellMasks(): void {
    if (this.#ended) clearTimeout(this.#telling)
    const machine = this.#options.port.annotations === 'machine'
    const news = [...this.#counts.values()].filter((each) => machine || !this.#told.has(each.dataClass))
    this.#counts.clear()
    if (news.length === 0) return
    for (const each of news) this.#told.add(each.dataClass)
    const columns = news.map(({ count, ...masked }) => masked)
    this.say({ kind: 'masked', columns, count: news.reduce((sum, each) => sum + each.count, 0) }, false)
  }

  /** Lets go the annotations that wait, on a line of their own. */
  #breakLine(): void {
    if (this.#lines.length === 0) return
    const stream = this.#stream(false)
    const text = this.#options.port.annotations === 'text'
    if (text && !stream.atLineStart) this.#send(Buffer.from('\r\n'), false)
    this.#sendLines()
    if (text) stream.lineStarts()
  }

  #sendLines(): void {
    const lines = this.#lines
    this.#lines = []
    for (const line of lines) this.#send(line, false)
  }

  #send(data: Buffer, stderr: boolean): void {
    this.#options.outlet.data(data, stderr)
  }
}

/** What may go on: to the person, and on the record. */
interface Passed {
  text: Buffer
  recorded: Buffer
}

/** One of the two streams of a program. */
class MaskedStream {
  readonly #stripper = new OscStripper()
  readonly #masker = new TextMasker()
  /** Of what is recorded, where others may read what is not masked for this person. */
  #recorder: TextMasker | undefined
  #atLineStart = true
  #fullScreen = false

  /** What was last shown ended a line, or nothing was shown. */
  get atLineStart(): boolean {
    return this.#atLineStart
  }

  /** The program draws the whole screen: a line of ours would land in the middle of it. */
  get fullScreen(): boolean {
    return this.#fullScreen
  }

  get holding(): number {
    return Math.max(this.#masker.holding, this.#recorder?.holding ?? 0)
  }

  /** `recorded`: masks of what is recorded, the same array where they are the same. */
  setMasks(masks: readonly TextMask[], recorded: readonly TextMask[]): void {
    // Once they went different ways they stay apart: each holds back what the other may have let go.
    if (masks !== recorded) this.#recorder ??= this.#masker.fork()
    this.#masker.setMasks(masks)
    this.#recorder?.setMasks(recorded)
  }

  push(data: Buffer): Passed {
    const clean = this.#stripper.push(data)
    return clean.length === 0 ? nothing : this.#both((masker) => masker.push(clean))
  }

  flush(): Passed {
    return this.#both((masker) => masker.flush())
  }

  end(): Passed {
    const rest = this.#stripper.end()
    return this.#both((masker) => Buffer.concat([masker.push(rest), masker.end()]))
  }

  takeCounts(): { shown: MaskCounts; onRecord: MaskCounts } {
    const shown = this.#masker.takeCounts()
    return { shown, onRecord: this.#recorder?.takeCounts() ?? shown }
  }

  #both(pass: (masker: TextMasker) => Buffer): Passed {
    const text = pass(this.#masker)
    return { text, recorded: this.#recorder === undefined ? text : pass(this.#recorder) }
  }

  shown(text: Buffer): void {
    this.#atLineStart = text[text.length - 1] === newline
    const mode = text.lastIndexOf('\x1b[?')
    if (mode === -1) return
    for (const match of text.toString('latin1').matchAll(screenModes)) this.#fullScreen = match[1] === 'h'
  }

  lineStarts(): void {
    this.#atLineStart = true
  }
}

/** To and from the alternate screen. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence begins with one
const screenModes = /\x1b\[\?(?:47|1047|1049)([hl])/g
