import { Command } from 'commander'
import { caller, cliClient, gatewayAddress, secrets, settings, showSignIn } from '../context.ts'
import { Ended, exit } from '../exit.ts'
import { json, say, write } from '../output.ts'

export function signInCommands(): Command[] {
  return [
    new Command('login')
      .description('sign in with SSO, in the browser or with a code')
      .option('--gateway <url>', 'address of the gateway; else $SALLYPORT_GATEWAY, else the one used last')
      .option('--device', 'show a code to enter in a browser on any machine')
      .action(login),
    new Command('logout').description('end the sign-in, here and at the gateway').action(logout),
    new Command('whoami').description('who is signed in, and where').option('--json', 'as JSON').action(whoami),
  ]
}

async function login(options: { gateway?: string; device?: true }): Promise<void> {
  const { gatewayOrigin, startSignIn } = await import('../../main/client.ts')
  const gateway = await gatewayAddress(options.gateway)
  if (gateway === undefined) {
    say('sallyport: which gateway? Run: sallyport login --gateway URL')
    throw new Ended(exit.usage)
  }
  const abort = new AbortController()
  process.once('SIGINT', () => abort.abort())
  const pending = await startSignIn({
    gateway: gatewayOrigin(gateway),
    flow: options.device === true ? 'device' : 'browser',
    clientId: cliClient,
    secrets: await secrets(),
    onEnded: () => {},
    signal: abort.signal,
  })
  await showSignIn(pending, 'Sign in')
  const { info, person } = await pending.done
  await (await settings()).save({ gateway: info.url })
  say(`Signed in to ${info.name} (${info.url}) as ${person.id}.`)
}

async function logout(): Promise<void> {
  const { endSignIn, gatewayOrigin } = await import('../../main/client.ts')
  const gateway = await gatewayAddress()
  if (gateway === undefined) {
    say('You are not signed in.')
    return
  }
  const ended = await endSignIn(gatewayOrigin(gateway), await secrets())
  if (ended.told) say('Signed out.')
  else say(`Signed out here. The gateway could not be told (${ended.why}); there the sign-in ends by itself.`)
}

async function whoami(options: { json?: true }): Promise<void> {
  const { asked } = await import('../../main/client.ts')
  const me = await asked((await caller()).api.me())
  if (options.json === true) {
    await json(me)
    return
  }
  const { id, name, kind, groups } = me.principal
  await write(`${id}\n`)
  say(
    `${name}, ${kind} in ${groups.length === 0 ? 'no group' : groups.join(', ')}, at ${me.gateway.name} (${me.gateway.url})`,
  )
}
