import { findEmails } from './detect/email.ts'
import { findIbans } from './detect/iban.ts'
import { findCards, findIpv4s, findPhones, findSsns } from './detect/numbers.ts'
import {
  findAwsKeys,
  findBearers,
  findGithubTokens,
  findGitlabTokens,
  findGoogleKeys,
  findJwts,
  findNpmTokens,
  findPasswords,
  findPrivateKeys,
  findSlackTokens,
  findStripeKeys,
  findUrlCredentials,
} from './detect/secrets.ts'
import type { Find } from './detect/span.ts'

export { type Find, type Span, union } from './detect/span.ts'

/** The detectors that classification.yaml can name. Each finds values in text in linear time (see Find). */
export const builtinDetectors = {
  email: findEmails,
  card: findCards,
  iban: findIbans,
  phone: findPhones,
  ssn: findSsns,
  ipv4: findIpv4s,
  jwt: findJwts,
  'aws-key': findAwsKeys,
  'github-token': findGithubTokens,
  'gitlab-token': findGitlabTokens,
  'slack-token': findSlackTokens,
  'stripe-key': findStripeKeys,
  'google-key': findGoogleKeys,
  'npm-token': findNpmTokens,
  'private-key': findPrivateKeys,
  password: findPasswords,
  'url-credentials': findUrlCredentials,
  bearer: findBearers,
} as const satisfies Record<string, Find>

export type BuiltinDetector = keyof typeof builtinDetectors

export function isBuiltinDetector(name: string): name is BuiltinDetector {
  return Object.hasOwn(builtinDetectors, name)
}

export interface TextRule {
  find: Find
  mask(value: string): string
}

/** Masks every value that any rule finds. Where two rules overlap, the whole stretch takes the mask of the one that begins first. */
export function redactor(rules: readonly TextRule[]): (text: string) => string {
  return (text) => {
    const hits = rules.flatMap((rule) => rule.find(text).map((span) => ({ ...span, rule })))
    if (hits.length === 0) return text
    hits.sort((a, b) => a.start - b.start || b.end - a.end)
    let out = ''
    let at = 0
    for (let i = 0; i < hits.length; ) {
      const hit = hits[i]
      if (!hit) break
      let end = hit.end
      i++
      for (let next = hits[i]; next && next.start < end; next = hits[i]) {
        end = Math.max(end, next.end)
        i++
      }
      out += text.slice(at, hit.start) + hit.rule.mask(text.slice(hit.start, end))
      at = end
    }
    return out + text.slice(at)
  }
}
