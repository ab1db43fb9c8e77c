import { isUtf8 } from 'node:buffer'
import { type Program, programOf } from './command.ts'
import { Reader, requestData, utf8 } from './frames.ts'

export interface Terminal {
  cols: number
  rows: number
  /** The fields of the request: type and modes as the client gave them, size as it is now. */
  data: Buffer
}

/** Something that no policy can allow here, in words for people. */
export interface Refusal {
  what: string
  why: string
}

type Size = [cols: number, rows: number, width: number, height: number]

const maxEnvironment = 64
/** Variables of language and terminal alone: others make the host run or load things. */
const allowedVariable = /^(?:LANG|LC_[A-Z_]{1,32}|TERM)$/

/** What a client asks for before, and with, the one program of a session channel. Nothing of it has reached the target. */
export class ChannelSetup {
  readonly environment: { name: string; value: string }[] = []
  #terminal: Terminal | undefined
  #program: Program | undefined

  get terminal(): Terminal | undefined {
    return this.#terminal
  }

  get program(): Program | undefined {
    return this.#program
  }

  /** True or false as the request is granted or not. Throws FrameError when it is malformed. */
  request(name: string, data: Buffer): boolean | Refusal {
    const r = new Reader(data)
    switch (name) {
      case 'pty-req': {
        if (this.#program !== undefined || this.#terminal !== undefined) return false
        utf8(r.bytes())
        const [cols, rows] = [r.u32(), r.u32()]
        this.#terminal = { cols, rows, data }
        return true
      }
      case 'env': {
        const [variable, value] = [r.text(), r.text()]
        if (this.#program !== undefined || !allowedVariable.test(variable)) return false
        if (this.environment.length >= maxEnvironment) return false
        this.environment.push({ name: variable, value })
        return true
      }
      case 'shell':
        return this.#choose({ kind: 'shell' })
      case 'exec': {
        const command = r.bytes()
        // What is not text can't be read by a policy, and must not be "repaired" into another command.
        if (command.includes(0) || !isUtf8(command)) return { what: 'A command', why: 'it is not plain UTF-8 text' }
        return this.#choose(programOf(utf8(command)))
      }
      case 'subsystem': {
        const subsystem = r.text()
        if (subsystem === 'sftp') return this.#choose({ kind: 'sftp' })
        return { what: `The subsystem ${subsystem}`, why: 'the door lets only sftp through' }
      }
      case 'x11-req':
        return { what: 'X11 forwarding', why: 'the door forwards no displays' }
      case 'auth-agent-req@openssh.com':
        return { what: 'Agent forwarding', why: 'the door lends no keys to a host' }
      default:
        return false
    }
  }

  /** The new size of the terminal; undefined when there is none. */
  resize(data: Buffer): Size | undefined {
    if (this.#terminal === undefined) return undefined
    const r = new Reader(data)
    const size: Size = [r.u32(), r.u32(), r.u32(), r.u32()]
    this.#terminal = { cols: size[0], rows: size[1], data: resized(this.#terminal.data, size) }
    return size
  }

  #choose(program: Program): boolean {
    if (this.#program !== undefined) return false
    this.#program = program
    return true
  }
}

function resized(data: Buffer, size: Size): Buffer {
  const r = new Reader(data)
  const type = r.bytes()
  for (let i = 0; i < size.length; i += 1) r.u32()
  return requestData([type, ...size], r.rest())
}
