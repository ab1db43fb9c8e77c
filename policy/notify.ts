import type { PolicyFile, PolicyProblem } from '../shared/link.ts'
import { checkPolicies } from './cedar.ts'
import { lineOfText } from './source.ts'

/** Whom a gateway can tell: the channels of its configuration, and, where it sends mail, every address. */
export interface NotifyTargets {
  channels: readonly string[]
  mail: boolean
}

/** `@notify` of policies that leads nowhere: whoever wrote it counts on somebody being told. */
export function notifyProblems(files: readonly PolicyFile[], { channels, mail }: NotifyTargets): PolicyProblem[] {
  // What is wrong with the policies otherwise is found where they are loaded.
  const { policies } = checkPolicies(files, undefined)
  return policies.flatMap(({ meta, source }) =>
    (meta.approval?.notify ?? []).flatMap((name) => {
      if (channels.includes(name)) return []
      const isAddress = /^[^\s@]+@[^\s@]+$/.test(name)
      if (isAddress && mail) return []
      const reason = isAddress
        ? `@notify("${name}") is a mail address, and the gateway's configuration has no notify.smtp to send with`
        : `@notify("${name}") names no channel of the gateway's configuration${known(channels)}`
      return [{ file: source.file, line: lineOfText(source, '@notify'), reason }]
    }),
  )
}

function known(channels: readonly string[]): string {
  return channels.length === 0 ? ', which has none' : `; there are ${channels.join(', ')}`
}
