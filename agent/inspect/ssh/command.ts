import type { Action } from '../../../shared/actions.ts'
import type { DecisionRequest } from '../port.ts'
import { channelRequest, requestData } from './frames.ts'

/** What a client asks a session channel to run. */
export type Program =
  | { kind: 'shell' }
  | { kind: 'exec'; command: string }
  /** `command`: legacy scp, which is a command that speaks its own file protocol. Absent: the SFTP subsystem. */
  | { kind: 'sftp'; command?: string }

export function actionOf(program: Program): Action {
  switch (program.kind) {
    case 'shell':
      return 'ssh:shell'
    case 'exec':
      return 'ssh:exec'
    case 'sftp':
      return 'ssh:sftp'
    default:
      return program satisfies never
  }
}

export function decisionRequest(program: Program): DecisionRequest {
  const action = actionOf(program)
  if (program.kind === 'shell' || program.command === undefined) return { action, complete: true }
  return { action, command: program.command, complete: true }
}

/** What people read in the recording and in a request for approval. */
export function textOf(program: Program): string {
  switch (program.kind) {
    case 'shell':
      return 'shell'
    case 'exec':
      return program.command
    case 'sftp':
      return program.command ?? 'sftp'
    default:
      return program satisfies never
  }
}

/**
 * A command line as a program. Legacy scp (`scp -t DIR`, `scp -f FILE`, sent by `scp -O`) is file transfer, and only when
 * the whole line is nothing else: plain words, no character that a shell gives a meaning to. `scp -t x; rm y` is a command.
 */
export function programOf(command: string): Program {
  return isLegacyScp(command) ? { kind: 'sftp', command } : { kind: 'exec', command }
}

const plainWord = /^[A-Za-z0-9_./~@%+=:,^-]+$/

function isLegacyScp(command: string): boolean {
  const words = command.split(' ').filter((word) => word !== '')
  if (words[0] !== 'scp' || !words.every((word) => plainWord.test(word))) return false
  const options = words.slice(1).filter((word) => word.startsWith('-') && word !== '--')
  const paths = words.slice(1).filter((word) => !word.startsWith('-'))
  return (
    options.every((word) => /^-[tfrpdvq]+$/.test(word)) &&
    options.some((word) => /[tf]/.test(word)) &&
    paths.length === 1
  )
}

/** The request that starts it on a channel of the target's. */
export function programRequest(recipient: number, program: Program): Buffer {
  switch (program.kind) {
    case 'shell':
      return channelRequest(recipient, 'shell', true)
    case 'exec':
      return channelRequest(recipient, 'exec', true, requestData([program.command]))
    case 'sftp':
      return program.command === undefined
        ? channelRequest(recipient, 'subsystem', true, requestData(['sftp']))
        : channelRequest(recipient, 'exec', true, requestData([program.command]))
    default:
      return program satisfies never
  }
}
