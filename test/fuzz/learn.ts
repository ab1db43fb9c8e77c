import type { Corpus, Heard } from './corpus.ts'
import { type Frame, framesOf, startupLength, textAt } from './wire.ts'

/** What a real PostgreSQL answered to a text, as recorded. */
export interface Answer {
  /** To Query: everything up to ReadyForQuery. */
  simple?: readonly Buffer[]
  /** To Parse, where that failed. */
  parseError?: Buffer
  parameters?: Buffer
  /** RowDescription or NoData. */
  description?: Buffer
  /** To Execute. COPY FROM STDIN: up to CopyInResponse. */
  result?: readonly Buffer[]
}

export interface Learned {
  answers: ReadonlyMap<string, Answer>
  /** ParameterStatus of the sign-in. */
  greeting: readonly Buffer[]
}

/** Takes the recorded sessions apart into what was asked and what was answered. */
export function learn({ conversations }: Corpus): Learned {
  const answers = new Map<string, Answer>()
  let greeting: readonly Buffer[] = []
  for (const { steps } of conversations) {
    const asked = sideOf(steps, 'door')
    const told = sideOf(steps, 'target')
    const ready = told.findIndex(({ type }) => type === 'Z')
    if (greeting.length === 0)
      greeting = told.slice(0, ready).flatMap(({ type, bytes }) => (type === 'S' ? [bytes] : []))
    // Passwords and SCRAM come before.
    const questions = asked.filter(({ type }) => type !== 'p')
    new Pairing(answers, questions, told.slice(ready + 1)).read()
  }
  return { answers, greeting }
}

/** All that one side said after its start-up packet. */
function sideOf(steps: readonly Heard[], from: Heard['from']): Frame[] {
  const stream = Buffer.concat(steps.flatMap((step) => (step.from === from ? [step.bytes] : [])))
  return framesOf(from === 'target' ? stream : stream.subarray(startupLength(stream)))?.frames ?? []
}

class Pairing {
  readonly #answers: Map<string, Answer>
  readonly #asked: readonly Frame[]
  readonly #told: readonly Frame[]
  #at = 0
  readonly #statements = new Map<string, string>()
  readonly #portals = new Map<string, string>()

  constructor(answers: Map<string, Answer>, asked: readonly Frame[], told: readonly Frame[]) {
    this.#answers = answers
    this.#asked = asked
    this.#told = told.filter(({ type }) => type !== 'A')
  }

  read(): void {
    let skipping = false
    for (const frame of this.#asked) {
      if (frame.type === 'S') {
        this.#until('Z')
        skipping = false
      } else if (!skipping) {
        const going = this.#one(frame)
        if (going === 'stop') return
        skipping = going === 'failed'
      }
    }
  }

  #one(frame: Frame): 'on' | 'failed' | 'stop' {
    switch (frame.type) {
      case 'Q': {
        const simple = this.#until('Z').slice(0, -1)
        this.#note(textAt(frame, 5).text, { simple })
        return 'on'
      }
      case 'P': {
        const name = textAt(frame, 5)
        const { text } = textAt(frame, name.next)
        this.#statements.set(name.text, text)
        const last = this.#until('1', 'E').at(-1)
        if (last?.[0] !== 0x45) return 'on'
        this.#note(text, { parseError: last })
        return 'failed'
      }
      case 'B': {
        const portal = textAt(frame, 5)
        this.#portals.set(portal.text, this.#statements.get(textAt(frame, portal.next).text) ?? '')
        return this.#failed(this.#until('2', 'E'))
      }
      case 'D': {
        const statement = frame.bytes[5] === 0x53
        const text = (statement ? this.#statements : this.#portals).get(textAt(frame, 6).text) ?? ''
        const told = this.#until('T', 'n', 'E')
        const last = told.at(-1)
        if (last === undefined || last[0] === 0x45) return 'failed'
        const parameters = told.find((one) => one[0] === 0x74)
        this.#note(text, { description: last, ...(parameters === undefined ? {} : { parameters }) })
        return 'on'
      }
      case 'E': {
        const text = this.#portals.get(textAt(frame, 5).text) ?? ''
        const result = this.#until('C', 'I', 's', 'E', 'G')
        // What PostgreSQL ignores from here on depends on timing.
        if (result.at(-1)?.[0] === 0x47) {
          this.#note(text, { result })
          return 'stop'
        }
        if (result.at(-1)?.[0] !== 0x73) this.#note(text, { result })
        return this.#failed(result)
      }
      case 'F':
        this.#until('Z')
        return 'on'
      case 'C':
        return this.#failed(this.#until('3', 'E'))
      default:
        return 'on'
    }
  }

  #failed(told: readonly Buffer[]): 'on' | 'failed' {
    return told.at(-1)?.[0] === 0x45 ? 'failed' : 'on'
  }

  #until(...types: readonly string[]): Buffer[] {
    const out: Buffer[] = []
    for (; this.#at < this.#told.length; this.#at++) {
      const frame = this.#told[this.#at]
      if (frame === undefined) break
      out.push(frame.bytes)
      if (types.includes(frame.type)) {
        this.#at++
        break
      }
    }
    return out
  }

  #note(text: string, answer: Answer): void {
    this.#answers.set(text, { ...this.#answers.get(text), ...answer })
  }
}
