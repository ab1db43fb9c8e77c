import { readFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { caller } from '../context.ts'
import { Ended, exit } from '../exit.ts'
import { say } from '../output.ts'

export function execCommand(): Command {
  return new Command('exec')
    .description('SQL or a command through the gateway, from a file or stdin')
    .argument('<name>')
    .option('--file <f>', 'read it from this file')
    .addOption(
      new Option('--format <form>', 'of SQL rows; a table for people, CSV for programs')
        .choices(['table', 'csv'])
        .default(process.stdout.isTTY ? 'table' : 'csv', 'table in a terminal, else csv'),
    )
    .action(exec)
}

async function exec(name: string, options: { file?: string; format: 'table' | 'csv' }): Promise<void> {
  const { connectionOf } = await import('../endpoint.ts')
  const text = options.file === undefined ? await readInput() : await readFile(options.file, 'utf8')
  if (text.trim() === '') {
    say('sallyport: nothing to run. Give it on stdin or with --file.')
    throw new Ended(exit.usage)
  }
  const who = await caller()
  const connection = await connectionOf(who, name)
  const code = await perform(who, connection, text, options.format)
  if (code !== exit.done) throw new Ended(code)
}

async function perform(
  who: Awaited<ReturnType<typeof caller>>,
  connection: Awaited<ReturnType<typeof import('../endpoint.ts').connectionOf>>,
  text: string,
  format: 'table' | 'csv',
): Promise<number> {
  switch (connection.kind) {
    case 'postgres': {
      const { execSql } = await import('../exec-sql.ts')
      return execSql(who, connection, text, format)
    }
    case 'ssh': {
      const { execSsh } = await import('../exec-ssh.ts')
      return execSsh(who, connection, text.trim())
    }
    case 'http':
    case 'kubernetes':
    case 'rdp':
      say(`sallyport: ${connection.name} speaks ${connection.kind}; exec knows SQL and SSH.`)
      return exit.failed
    default:
      return connection.kind satisfies never
  }
}

async function readInput(): Promise<string> {
  if (process.stdin.isTTY) say('Type it, then Ctrl-D:')
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
