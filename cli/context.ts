import { homedir } from 'node:os'
import { join } from 'node:path'
import type { ApiClient, Lack, SecretStore, SettingsStore, SignedIn, StartedSignIn } from '../main/client.ts'
import type { Principal } from '../shared/principal.ts'
import { openInBrowser } from './open.ts'
import { say } from './output.ts'

/** The client id of a person's command line. */
export const cliClient = 'sallyport-cli'

/** Who runs a command, at which gateway. */
export interface Caller {
  info: { url: string; name: string; version: string; issuer: string; api: string }
  api: ApiClient
  /**
   * Runs a call of the API, or what opens a session; where policy wants a better sign-in for it, takes the person through that first.
   * `who` is as signed in by then. A machine has no second factor, so it fails.
   */
  confirmed<T>(call: (who: Pick<Caller, 'api' | 'info'>) => Promise<T>): Promise<T>
  /** Asks the gateway when it is a machine, whose own name only the gateway knows. */
  person(): Promise<Principal>
}

/** `$SALLYPORT_HOME`, else the folder that the system has for settings. Sign-ins are kept there in files of mode 0600. */
export function home(env: NodeJS.ProcessEnv = process.env): string {
  if (env.SALLYPORT_HOME !== undefined && env.SALLYPORT_HOME !== '') return env.SALLYPORT_HOME
  if (process.platform === 'win32' && env.APPDATA !== undefined) return join(env.APPDATA, 'Sallyport')
  return join(env.XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'sallyport')
}

/** The CLI's own sign-in: the desktop client keeps another, so that they do not use up each other's refresh token. */
export async function secrets(): Promise<SecretStore> {
  const { fileSecrets } = await import('../main/client.ts')
  return fileSecrets(join(home(), 'cli', 'secrets'))
}

export async function settings(): Promise<SettingsStore> {
  const { openSettings } = await import('../main/client.ts')
  return openSettings(join(home(), 'cli'), (message) => say(`sallyport: ${message}`))
}

/** `--gateway`, else `$SALLYPORT_GATEWAY`, else the one used last; undefined when there is none. */
export async function gatewayAddress(option?: string): Promise<string | undefined> {
  if (option !== undefined) return option
  if (process.env.SALLYPORT_GATEWAY) return process.env.SALLYPORT_GATEWAY
  const { gateway } = (await settings()).get()
  return gateway === '' ? undefined : gateway
}

/** The identity that commands act with: a job's, from the environment, or the person's who signed in. */
export async function caller(): Promise<Caller> {
  const { asked, confirmed, fail, machineFrom, machineSignIn, resumeSignIn, sharedConfirm } = await import(
    '../main/client.ts'
  )
  const machine = machineFrom(process.env)
  if (machine !== undefined) {
    const { info, api } = await machineSignIn(machine)
    const person = async () => (await asked(api.me())).principal
    return { info, api, confirmed: (call) => asked(call({ info, api })), person }
  }
  const gateway = await gatewayAddress()
  const signedIn = gateway === undefined ? undefined : await resumeSignIn(gateway, await secrets(), () => {})
  if (signedIn === undefined) {
    throw fail('not-signed-in', 'You are not signed in.', {
      hint: 'Run: sallyport login --gateway URL',
      action: 'sign-in',
    })
  }
  const { info, api, person } = signedIn
  let who = signedIn
  const confirm = sharedConfirm(async (lack) => {
    who = await stepUp(who, lack)
  })
  return {
    info,
    api,
    confirmed: (call) => confirmed(() => call(who), confirm),
    person: () => Promise.resolve(person),
  }
}

/** The same person proves again who they are, with a second factor, the way they signed in. */
async function stepUp(who: SignedIn, { stepUp, message }: Lack): Promise<SignedIn> {
  const { stepUpSignIn } = await import('../main/client.ts')
  say(message)
  const abort = new AbortController()
  const stop = (): void => abort.abort()
  process.once('SIGINT', stop)
  try {
    const pending = await stepUpSignIn({
      who,
      lack: stepUp,
      clientId: cliClient,
      secrets: await secrets(),
      onEnded: () => {},
      signal: abort.signal,
    })
    await showSignIn(pending, 'Confirm that it is you')
    return await pending.done
  } finally {
    process.off('SIGINT', stop)
  }
}

/** Says where to sign in, and opens it where a browser can be opened here. */
export async function showSignIn({ url, code }: Pick<StartedSignIn, 'url' | 'code'>, what: string): Promise<void> {
  const { messageOf } = await import('../main/client.ts')
  if (code !== undefined) {
    say(`${what}: open this page on any machine, and enter the code  ${code}`)
    say(`  ${url}`)
    return
  }
  say(`${what} in the browser. If it did not open, open this page on this machine:`)
  say(`  ${url}`)
  await openInBrowser(url).catch((error: unknown) => say(`(No browser was opened: ${messageOf(error)})`))
}
