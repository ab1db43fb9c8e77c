import { homedir } from 'node:os'
import { join } from 'node:path'
import type { ApiClient, SecretStore, SettingsStore } from '../main/client.ts'
import type { Principal } from '../shared/principal.ts'
import { say } from './output.ts'

/** Who runs a command, at which gateway. */
export interface Caller {
  info: { url: string; name: string; version: string; issuer: string; api: string }
  api: ApiClient
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
  const { asked, fail, machineFrom, machineSignIn, resumeSignIn } = await import('../main/client.ts')
  const machine = machineFrom(process.env)
  if (machine !== undefined) {
    const { info, api } = await machineSignIn(machine)
    return { info, api, person: async () => (await asked(api.me())).principal }
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
  return { info, api, person: () => Promise.resolve(person) }
}
