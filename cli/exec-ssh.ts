import { StringDecoder } from 'node:string_decoder'
import type { Client, ClientChannel } from 'ssh2'
import { AnnotationExtractor, connectSsh, fail, messageOf, openSession } from '../main/client.ts'
import type { Connection } from '../shared/api/models.ts'
import type { Caller } from './context.ts'
import { decisionExit, decisionLine } from './decisions.ts'
import { exit } from './exit.ts'
import { say, write } from './output.ts'

/** Runs one command on an SSH host. Its output to stdout, its errors and our decisions to stderr. Resolves with the exit code. */
export async function execSsh(who: Caller, connection: Connection, command: string): Promise<number> {
  const session = await who.confirmed((me) => openSession(me, connection.name, { door: 'cli', annotations: 'machine' }))
  const client = await connectSsh({ stream: session.stream, user: (await who.person()).id, hostKey: session.hostKey })
  let interrupted = false
  const interrupt = (): void => {
    interrupted = true
    client.end()
  }
  process.once('SIGINT', interrupt)
  try {
    const channel = await start(client, command)
    const code = await follow(channel)
    return interrupted ? 130 : code
  } finally {
    process.off('SIGINT', interrupt)
    client.end()
  }
}

function start(client: Client, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) reject(fail('forbidden', `The command was not started: ${messageOf(error)}.`, { cause: error }))
      else resolve(channel)
    })
  })
}

async function follow(channel: ClientChannel): Promise<number> {
  let decided: number | undefined
  const exited = new Promise<number | undefined>((resolve) => {
    let status: number | undefined
    channel.once('exit', (code: number | null) => {
      status = code ?? exit.failed
    })
    channel.once('close', () => resolve(status))
  })
  channel.end()
  const output = copy(channel)
  const errors = copyErrors(channel.stderr, (code) => {
    decided = code
  })
  await Promise.all([output, errors])
  const status = await exited
  if (decided !== undefined) return decided
  if (status === undefined) throw fail('session-ended', 'The session ended before the command did.')
  if (status === 0) return exit.done
  say(`sallyport: the command ended with status ${status}.`)
  return exit.failed
}

async function copy(source: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of source) await write(chunk)
}

async function copyErrors(source: AsyncIterable<string | Buffer>, settle: (code: number) => void): Promise<void> {
  const decoder = new StringDecoder('utf8')
  const extractor = new AnnotationExtractor()
  for await (const chunk of source) {
    for (const part of extractor.push(typeof chunk === 'string' ? chunk : decoder.write(chunk))) {
      if (part.type === 'data') process.stderr.write(part.text)
      else {
        const line = decisionLine(part.annotation)
        if (line !== '') say(`sallyport: ${line}`)
        const code = decisionExit(part.annotation)
        if (code !== undefined) settle(code)
      }
    }
  }
  for (const part of extractor.end()) if (part.type === 'data') process.stderr.write(part.text)
}
