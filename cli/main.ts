#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { accessCommands } from './commands/access.ts'
import { appCommand } from './commands/app.ts'
import { auditCommand } from './commands/audit.ts'
import { connectionCommands } from './commands/connections.ts'
import { execCommand } from './commands/exec.ts'
import { nativeCommands } from './commands/native.ts'
import { offboardCommand } from './commands/offboard.ts'
import { policyCommand } from './commands/policy.ts'
import { demoCommand, gatewayCommand, startCommand } from './commands/servers.ts'
import { sessionCommands } from './commands/sessions.ts'
import { signInCommands } from './commands/sign-in.ts'
import { Ended, exit, exitCodeOf } from './exit.ts'
import { say } from './output.ts'

/** `sallyport`. Answers go to stdout, all else to stderr; exit codes are in `exit.ts`. */
function program(): Command {
  const { version }: { version: string } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const root = new Command('sallyport')
    .description('One guarded door to every database and host.')
    .version(version)
    .enablePositionalOptions()
    .showHelpAfterError('Run with --help to see what there is.')
  const all = [
    ...signInCommands(),
    ...connectionCommands(),
    ...nativeCommands(),
    execCommand(),
    ...accessCommands(),
    ...sessionCommands(),
    offboardCommand(),
    auditCommand(),
    policyCommand(),
    appCommand(),
    demoCommand(),
    startCommand(),
    gatewayCommand(),
  ]
  for (const command of all) root.addCommand(command)
  return throughout(root)
}

/** Commander would exit by itself, and with 1 for wrong usage. */
function throughout(command: Command): Command {
  command.exitOverride()
  for (const child of command.commands) throughout(child)
  return command
}

async function run(argv: readonly string[]): Promise<number> {
  try {
    await program().parseAsync([...argv])
    return exit.done
  } catch (error) {
    if (error instanceof Ended) return error.code
    if (error instanceof CommanderError) return error.exitCode === 0 ? exit.done : exit.usage
    const { toProblem } = await import('../main/problem.ts')
    const problem = toProblem(error)
    say(`sallyport: ${problem.message}`)
    if (problem.hint !== undefined) say(problem.hint)
    else if (problem.code === 'not-signed-in') say('Run: sallyport login')
    else if (problem.code === 'not-found') say('What there is: sallyport ls, sallyport requests, sallyport sessions.')
    if (process.env.SALLYPORT_DEBUG !== undefined) say(error instanceof Error ? (error.stack ?? '') : '')
    return exitCodeOf(problem.code)
  }
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Whoever read us has heard enough.
  process.exit(error.code === 'EPIPE' ? exit.done : exit.failed)
})
process.exitCode = await run(process.argv)
