import type { Annotation } from '../../../shared/annotation.ts'
import { type Admission, admit, exitBlocked } from './admit.ts'
import type { ChannelHost } from './channel-host.ts'
import { ClientInput } from './channel-input.ts'
import { ChannelRecord } from './channel-record.ts'
import { actionOf, type Program, programRequest } from './command.ts'
import { Credit, Outlet, packetSize, windowSize } from './flow.ts'
import { channelRequest, encode, FrameError, message, Reader, requestData } from './frames.ts'
import { Output } from './output.ts'
import { ChannelSetup } from './setup.ts'
import { SftpWatch } from './sftp.ts'
import type { Transport } from './transport.ts'
import { machineForm, recordingFailed } from './words.ts'

/** As ssh has it, for what went wrong before or beside the program. */
const exitTrouble = 255
/** A closed channel's last input may take this long to be taken by the target. */
const lingerMs = 5000
const interrupt = 0x03
const signalName = /^[A-Z0-9]{1,16}(?:@[a-z0-9.]{1,64})?$/

type Phase = 'setup' | 'deciding' | 'opening' | 'starting' | 'running' | 'ending'

/** One session channel of a client, and its twin toward the target, which exists only once its program may run. */
export class SessionChannel {
  /** Our number for it, toward the client. */
  readonly id: number
  readonly #host: ChannelHost<SessionChannel>
  readonly #recipient: number
  readonly #toClient: Outlet
  readonly #fromClient = new Credit()
  readonly #fromTarget = new Credit()
  readonly #cancelled = new AbortController()
  readonly #setup = new ChannelSetup()
  #phase: Phase = 'setup'
  #toTarget: Outlet | undefined
  #targetRecipient = 0
  #targetTransport: Transport | undefined
  readonly #input: ClientInput
  readonly #record: ChannelRecord
  /** Requests to the target that wait for an answer, in order. */
  #asked: ('terminal' | 'program')[] = []
  #admission: Extract<Admission, { go: true }> | undefined
  #output: Output | undefined
  #sftp: SftpWatch | undefined
  #startedAt = 0
  #bytesOut = 0
  #exitCode: number | undefined
  #exitSignal: string | undefined
  #completed = false
  #clientClosed = false
  #targetClosed = true
  #targetEnded = false
  #linger: NodeJS.Timeout | undefined

  constructor(host: ChannelHost<SessionChannel>, id: number, recipient: number, window: number, maxPacket: number) {
    this.#host = host
    this.id = id
    this.#recipient = recipient
    this.#toClient = new Outlet(host.client, () => this.#grantTarget())
    this.#record = new ChannelRecord(host)
    this.#input = new ClientInput({
      recorded: (data) => {
        host.moved(0, data.length)
        return this.#sftp === undefined ? [] : this.#record.operated(this.#sftp.fromClient(data))
      },
      progress: () => this.#grantClient(),
      failed: (error) => host.failed(recordingFailed(error)),
    })
    host.client.send(encode(message.channelOpenConfirmation, [recipient, id, windowSize, packetSize]))
    this.#toClient.open(recipient, window, maxPacket)
  }

  // From the client -------------------------------------------------------------------------------------------------

  clientData(data: Buffer): void {
    this.#fromClient.take(data.length)
    if (this.#phase === 'ending' || this.#clientClosed) return
    if (this.#phase === 'deciding' && this.#setup.terminal !== undefined && data.includes(interrupt)) {
      this.#cancelled.abort()
      return
    }
    this.#input.push(data)
    this.#grantClient()
  }

  clientEof(): void {
    if (this.#phase !== 'ending') this.#input.push('eof')
  }

  clientClose(): void {
    if (this.#clientClosed) return
    this.#clientClosed = true
    this.#cancelled.abort()
    if (this.#toTarget !== undefined && !this.#targetClosed) {
      // A client may close as soon as output ends; its exit status still comes, and must reach it.
      const outlet = this.#toTarget
      this.#toClient.discardData()
      this.#input.afterStoring(() => outlet.close())
      this.#linger = setTimeout(() => {
        outlet.abort()
        this.#toClient.abort()
      }, lingerMs)
    } else this.#toClient.abort()
    this.#settle()
  }

  clientWindow(bytes: number): void {
    this.#toClient.adjust(bytes)
  }

  clientRequest(name: string, wantReply: boolean, data: Buffer): void {
    const ok = this.#request(name, data)
    if (wantReply && !this.#toClient.closed) {
      this.#host.client.send(encode(ok ? message.channelSuccess : message.channelFailure, [this.#recipient]))
    }
    // After the answer: what a decision says must come behind it.
    if (this.#setup.program !== undefined && this.#phase === 'setup') this.#begin(this.#setup.program)
  }

  #request(name: string, data: Buffer): boolean {
    switch (name) {
      case 'window-change': {
        const size = this.#setup.resize(data)
        if (size === undefined) return false
        this.#record.resized(size[0], size[1])
        if (this.#phase === 'running') this.#toTarget?.request(name, requestData(size))
        return true
      }
      case 'signal': {
        const signal = new Reader(data).text()
        if (!signalName.test(signal)) return false
        if (this.#phase === 'running') this.#toTarget?.request(name, requestData([signal]))
        else this.#cancelled.abort()
        return true
      }
      default: {
        const answer = this.#setup.request(name, data)
        return typeof answer === 'boolean' ? answer : this.#refuse(answer.what, answer.why)
      }
    }
  }

  /** Refuses something that no policy can allow here. The protocol's own answer has no words, so stderr gets them. */
  #refuse(what: string, why: string): false {
    const { port } = this.#host
    this.#host.refused(what, why)
    const reason = `${what} was not let through: ${why}.`
    const machine = port.annotations === 'machine'
    this.#toClient.data(
      machine ? machineForm({ kind: 'ended', reason }) : Buffer.from(`sallyport: ${reason}\r\n`),
      true,
    )
    return false
  }

  // Deciding --------------------------------------------------------------------------------------------------------

  #begin(program: Program): void {
    this.#phase = 'deciding'
    const host = this.#host
    const { port } = host
    const terminal = this.#setup.terminal !== undefined
    const failed = (reason: string): void => host.failed(reason)
    this.#output = new Output({ port, outlet: this.#toClient, terminal, failed, progress: () => this.#grantTarget() })
    if (this.#setup.terminal !== undefined) this.#record.resized(this.#setup.terminal.cols, this.#setup.terminal.rows)
    this.#decide(program).catch((error: unknown) => host.failed(recordingFailed(error)))
  }

  async #decide(program: Program): Promise<void> {
    const { port, account } = this.#host
    let target: Transport
    try {
      target = await this.#host.target()
    } catch (error) {
      this.stop(error instanceof Error ? error.message : String(error), exitTrouble)
      return
    }
    if (this.#phase !== 'deciding') return
    const n = this.#host.nextRequest()
    const say = (annotation: Annotation): void => {
      if (this.#phase === 'deciding') this.#output?.say(annotation)
    }
    const admission = await admit({ port, program, n, account, say, cancelled: this.#cancelled.signal })
    if (this.#phase !== 'deciding') return
    if (!admission.go) {
      this.#finish(admission.exitCode)
      return
    }
    this.#admission = admission
    if (this.#clientClosed) {
      this.#complete('The client left before it began.')
      this.#settle()
      return
    }
    this.#phase = 'opening'
    this.#startedAt = port.elapsed()
    if (program.kind === 'sftp' && program.command === undefined) this.#sftp = new SftpWatch()
    this.#toTarget = new Outlet(target, () => this.#grantClient())
    this.#targetClosed = false
    this.#host.openOnTarget(this)
  }

  /** Policy changed: a program that may run no longer ends here. */
  recheck(): void {
    if (this.#phase !== 'running') return
    const reason = this.#admission?.recheck()
    if (reason !== undefined) this.stop(reason, exitBlocked)
  }

  // From the target -------------------------------------------------------------------------------------------------

  targetOpened(transport: Transport, recipient: number, window: number, maxPacket: number): void {
    const program = this.#setup.program
    if (this.#phase !== 'opening' || this.#clientClosed || program === undefined) {
      transport.send(encode(message.channelClose, [recipient]))
      if (this.#phase === 'opening') this.#phase = 'ending'
      this.#targetRecipient = recipient
      this.#complete('The client left before it began.')
      return
    }
    this.#phase = 'starting'
    this.#targetRecipient = recipient
    this.#toTarget?.open(recipient, window, maxPacket)
    if (this.#setup.terminal !== undefined) {
      this.#asked.push('terminal')
      transport.send(channelRequest(recipient, 'pty-req', true, this.#setup.terminal.data))
    }
    for (const { name, value } of this.#setup.environment) {
      transport.send(channelRequest(recipient, 'env', false, requestData([name, value])))
    }
    this.#asked.push('program')
    transport.send(programRequest(recipient, program))
  }

  targetRefused(description: string): void {
    this.#targetClosed = true
    const why = description === '' ? 'no reason given' : description
    this.stop(`The host opened no channel: ${why}.`, exitTrouble)
  }

  targetReply(ok: boolean): void {
    const asked = this.#asked.shift()
    if (asked === undefined) throw new FrameError('an answer to no question')
    if (this.#phase !== 'starting') return
    if (!ok) {
      const { program } = this.#setup
      const what = asked === 'terminal' || program === undefined ? 'a terminal' : actionOf(program)
      this.stop(`The host refused ${what}.`, exitTrouble)
      return
    }
    if (asked === 'terminal') return
    this.#phase = 'running'
    if (this.#toTarget !== undefined) this.#input.begin(this.#toTarget)
    this.#grantClient()
  }

  targetData(transport: Transport, data: Buffer, stderr: boolean): void {
    this.#fromTarget.take(data.length)
    if (this.#phase !== 'running' || this.#clientClosed || this.#targetEnded) {
      this.#grantTarget(transport)
      return
    }
    this.#bytesOut += data.length
    this.#host.moved(data.length, 0)
    if (this.#setup.program?.kind === 'sftp') {
      if (this.#sftp !== undefined && !stderr) this.#record.operated(this.#sftp.fromServer(data))
      this.#toClient.data(data, stderr)
    } else this.#output?.push(data, stderr)
    this.#grantTarget(transport)
  }

  targetEof(): void {
    if (this.#targetEnded) return
    this.#targetEnded = true
    if (this.#phase !== 'running') return
    this.#output?.end()
    this.#toClient.eof()
  }

  targetRequest(transport: Transport, name: string, wantReply: boolean, data: Buffer): void {
    const r = new Reader(data)
    if (name === 'exit-status' || name === 'exit-signal') {
      if (name === 'exit-status') this.#exitCode = r.u32()
      else this.#exitSignal = r.text()
      if (this.#phase === 'running') this.#toClient.request(name, data)
    } else if (name === 'eow@openssh.com' && this.#phase === 'running') this.#toClient.request(name, data)
    if (wantReply) transport.send(encode(message.channelFailure, [this.#targetRecipient]))
  }

  targetClose(): void {
    this.#targetClosed = true
    clearTimeout(this.#linger)
    this.#toTarget?.abort()
    if (this.#phase === 'opening' || this.#phase === 'starting') {
      this.stop('The host closed the channel before it began.', exitTrouble)
      return
    }
    if (this.#phase === 'running') {
      this.#output?.end()
      this.#complete(undefined)
      this.#phase = 'ending'
      this.#toClient.eof()
      this.#toClient.close()
    }
    this.#settle()
  }

  targetWindow(bytes: number): void {
    this.#toTarget?.adjust(bytes)
  }

  // Ending ----------------------------------------------------------------------------------------------------------

  /** Ends the program for a reason that is not its own, and tells the person. */
  stop(reason: string, exitCode = exitTrouble): void {
    if (this.#phase === 'ending') return
    this.#cancelled.abort()
    this.#output?.end()
    if (this.#setup.program?.kind !== 'sftp' || this.#phase !== 'running') this.#output?.say({ kind: 'ended', reason })
    else this.#toClient.data(Buffer.from(`sallyport: ${reason}\n`), true)
    this.#complete(reason)
    this.#finish(exitCode)
  }

  /** The transport to one side is gone. */
  severed(reason: string): void {
    this.#cancelled.abort()
    this.#output?.end()
    this.#complete(reason)
    this.#phase = 'ending'
    clearTimeout(this.#linger)
  }

  /** A transport can take more. */
  drained(): void {
    this.#toClient.flush()
    this.#toTarget?.flush()
    this.#grantClient()
    this.#grantTarget()
  }

  #finish(exitCode: number): void {
    this.#phase = 'ending'
    this.#output?.end()
    this.#toClient.request('exit-status', requestData([exitCode]))
    this.#toClient.eof()
    this.#toClient.close()
    if (!this.#targetClosed) this.#toTarget?.abort()
    this.#settle()
  }

  #complete(error: string | undefined): void {
    const admission = this.#admission
    if (admission === undefined || this.#completed) return
    this.#completed = true
    if (this.#sftp !== undefined) this.#record.operated(this.#sftp.end())
    const reason = error ?? (this.#exitSignal === undefined ? undefined : `ended by signal ${this.#exitSignal}`)
    this.#record.completed(admission, {
      startedAt: this.#startedAt,
      bytes: this.#bytesOut,
      exitCode: this.#exitCode,
      error: reason,
    })
  }

  #settle(): void {
    if (this.#clientClosed && this.#targetClosed && this.#phase !== 'deciding' && this.#phase !== 'opening') {
      clearTimeout(this.#linger)
      this.#complete('The client closed the channel.')
      this.#phase = 'ending'
      this.#host.finished(this)
    }
  }

  // Moving ----------------------------------------------------------------------------------------------------------

  #grantClient(): void {
    if (this.#clientClosed || this.#phase !== 'running' || this.#input.held > windowSize / 2) return
    if (this.#toTarget?.hasRoom !== true) return
    const amount = this.#fromClient.refill()
    if (amount > 0) this.#host.client.send(encode(message.channelWindowAdjust, [this.#recipient, amount]))
  }

  #grantTarget(transport?: Transport): void {
    this.#targetTransport ??= transport
    if (this.#targetTransport === undefined || this.#targetClosed) return
    if (!this.#toClient.hasRoom || this.#output?.hasRoom === false) return
    const amount = this.#fromTarget.refill()
    if (amount > 0) this.#targetTransport.send(encode(message.channelWindowAdjust, [this.#targetRecipient, amount]))
  }
}
