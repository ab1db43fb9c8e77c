import { Command } from 'commander'
import { caller } from '../context.ts'
import { say } from '../output.ts'

/** Turning people's accounts off and on, for the gateway's operators. */
export function offboardCommand(): Command {
  return new Command('offboard')
    .description('turn a person’s account off: sign-ins, tokens and live sessions end at once; for operators')
    .argument('<person>', 'login name')
    .option('--undo', 'let them sign in again')
    .action(offboard)
}

async function offboard(id: string, options: { undo?: true }): Promise<void> {
  const { asked } = await import('../../main/client.ts')
  const { api } = await caller()
  if (options.undo === true) {
    await asked(api.identities.enable({ id }))
    say(`The account ${id} is on. They may sign in again.`)
    return
  }
  await asked(api.identities.disable({ id }))
  say(
    `The account ${id} is off: sign-ins, tokens and live sessions have ended. To take it back: sallyport offboard ${id} --undo`,
  )
}
