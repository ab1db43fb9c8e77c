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

export { type Find, union } from './detect/span.ts'

/** A detector: `anyOf` are ASCII characters of which any text with a match has at least one, so that other text need not be searched. */
export interface Detector {
  find: Find
  anyOf?: string
}

const digits = '0123456789'

/** The detectors that classification.yaml can name. Each finds values in text in linear time (see Find). */
export const builtinDetectors = {
  email: { find: findEmails, anyOf: '@' },
  card: { find: findCards, anyOf: '23456' },
  iban: { find: findIbans, anyOf: digits },
  phone: { find: findPhones, anyOf: digits },
  ssn: { find: findSsns, anyOf: '-' },
  ipv4: { find: findIpv4s, anyOf: '.' },
  jwt: { find: findJwts, anyOf: '.' },
  'aws-key': { find: findAwsKeys, anyOf: 'A' },
  'github-token': { find: findGithubTokens, anyOf: '_' },
  'gitlab-token': { find: findGitlabTokens, anyOf: '-' },
  'slack-token': { find: findSlackTokens, anyOf: '-' },
  'stripe-key': { find: findStripeKeys, anyOf: '_' },
  'google-key': { find: findGoogleKeys, anyOf: 'A' },
  'npm-token': { find: findNpmTokens, anyOf: '_' },
  'private-key': { find: findPrivateKeys, anyOf: '-' },
  password: { find: findPasswords, anyOf: "=:-'" },
  'url-credentials': { find: findUrlCredentials, anyOf: ':' },
  bearer: { find: findBearers, anyOf: 'bB' },
} as const satisfies Record<string, Detector>

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
