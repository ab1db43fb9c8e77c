import { Automaton, type Part } from '../shared/automaton.ts'
import { findEmails } from './detect/email.ts'
import { findIbans } from './detect/iban.ts'
import { findNationalIds } from './detect/ids.ts'
import { findCards, findIpv4s, findIpv6s, findPhones, findSsns } from './detect/numbers.ts'
import {
  cloudKeyPrefixes,
  findAwsKeys,
  findBearers,
  findCloudKeys,
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
  secretNames,
} from './detect/secrets.ts'
import { anyCase, blank, digit, hex, literal, lowerCase, type Shape, times, upperCase } from './detect/shape.ts'
import type { Find, Span } from './detect/span.ts'

export { type Find, union } from './detect/span.ts'

/** A detector, and what any text with a match holds, so that other text need not be searched. */
export interface Detector {
  find: Find
  /** At least one of these ASCII characters: what a short text is told by. */
  anyOf?: string
  /** At least one of these shapes: what a stream of text is told by. */
  shapes?: readonly Shape[]
}

/** The detectors that classification.yaml can name. Each finds values in text in linear time (see Find). */
export const builtinDetectors = {
  email: { find: findEmails, anyOf: '@', shapes: [['@', `${lowerCase}${upperCase}${digit}-.`]] },
  card: {
    find: findCards,
    anyOf: '23456',
    shapes: [
      ['23456', ...times(12, digit)],
      ['23456', ...times(3, digit), ' -', ...times(4, digit)],
    ],
  },
  iban: {
    find: findIbans,
    anyOf: digit,
    shapes: [[...times(2, upperCase), ...times(2, digit), `${upperCase}${digit} `, `${upperCase}${digit}`]],
  },
  phone: {
    find: findPhones,
    anyOf: digit,
    shapes: [
      ['+', '123456789'],
      ['(', ...times(3, digit), ')'],
      ['23456789', ...times(2, digit), '-.', ...times(3, digit), '-. ', digit],
    ],
  },
  ssn: { find: findSsns, anyOf: '-', shapes: [[...times(3, digit), '-', ...times(2, digit), '-', ...times(4, digit)]] },
  ipv4: {
    find: findIpv4s,
    anyOf: '.',
    shapes: [1, 2, 3].map((size) => [digit, '.', ...times(size, digit), '.', digit]),
  },
  ipv6: {
    find: findIpv6s,
    anyOf: ':',
    shapes: [literal('::'), [hex, ':', hex]],
  },
  'national-id': {
    find: findNationalIds,
    anyOf: digit,
    shapes: [
      [upperCase, ...times(2, digit)],
      [upperCase, ' ', ...times(2, digit)],
      times(7, digit),
      [...times(3, digit), '.', ...times(3, digit), '.'],
      [...times(6, digit), '-'],
      [...times(4, digit), ' ', ...times(3, digit)],
      [digit, ' ', ...times(2, digit), ' '],
    ],
  },
  jwt: { find: findJwts, anyOf: '.', shapes: [literal('eyJ')] },
  'aws-key': { find: findAwsKeys, anyOf: 'A', shapes: [['A', 'KS', 'I', 'A', `${upperCase}${digit}`]] },
  'github-token': { find: findGithubTokens, anyOf: '_', shapes: [['g', 'h', 'pousr', '_'], literal('github_pat_')] },
  'gitlab-token': { find: findGitlabTokens, anyOf: '-', shapes: [literal('glpat-')] },
  'slack-token': { find: findSlackTokens, anyOf: '-', shapes: [['x', 'o', 'x', 'abprs', '-'], literal('xapp-')] },
  'stripe-key': {
    find: findStripeKeys,
    anyOf: '_',
    shapes: [['rs', ...literal('k_live_')], ['rs', ...literal('k_test_')], literal('whsec_')],
  },
  'cloud-key': { find: findCloudKeys, anyOf: '.-_=', shapes: cloudKeyPrefixes.map(literal) },
  'google-key': { find: findGoogleKeys, anyOf: 'A', shapes: [literal('AIza')] },
  'npm-token': { find: findNpmTokens, anyOf: '_', shapes: [literal('npm_')] },
  'private-key': { find: findPrivateKeys, anyOf: '-', shapes: [literal('PRIVATE KEY-----')] },
  password: {
    find: findPasswords,
    anyOf: "=:-'",
    shapes: secretNames.map((name) => [...anyCase(name), `${blank}"'=:`]),
  },
  'url-credentials': { find: findUrlCredentials, anyOf: ':', shapes: [literal('://')] },
  bearer: {
    find: findBearers,
    anyOf: 'bB',
    shapes: ['bearer', 'basic'].map((name) => [...anyCase(name), blank]),
  },
} as const satisfies Record<string, Detector>

export type BuiltinDetector = keyof typeof builtinDetectors

export function isBuiltinDetector(name: string): name is BuiltinDetector {
  return Object.hasOwn(builtinDetectors, name)
}

export interface TextRule extends Detector {
  mask(value: string): string
}

interface Hit extends Span {
  rule: TextRule
}

/** Masks every value that any rule finds. Where two rules overlap, the whole stretch takes the mask of the one that begins first. */
export function redactor(rules: readonly TextRule[], mostStates?: number): (text: string) => string {
  const present = presence(rules, mostStates)
  return (text) => {
    const worthwhile = present(text)
    let hits: Hit[] | undefined
    for (let i = 0; i < rules.length; i++) {
      const rule = rules[i]
      // Rules beyond the bits of a number are always tried.
      if (rule === undefined || (i < bits && (worthwhile & (1 << i)) === 0)) continue
      for (const span of rule.find(text)) {
        hits ??= []
        hits.push({ start: span.start, end: span.end, rule })
      }
    }
    return hits === undefined ? text : replaced(text, hits)
  }
}

function replaced(text: string, hits: Hit[]): string {
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

const bits = 31

/** Which of the first rules may find something in a text, a bit each: those of which it holds a shape. */
function presence(rules: readonly Detector[], mostStates: number | undefined): (text: string) => number {
  let always = 0
  const parts: Part[] = []
  for (const [i, { shapes }] of rules.slice(0, bits).entries()) {
    const kind = 1 << i
    if (shapes === undefined) always |= kind
    else parts.push(...shapes.map((places) => ({ places, kind })))
  }
  const automaton = new Automaton(parts, mostStates)
  return (text) => {
    let found = always
    let state = 0
    let { next } = automaton
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code > 127) {
        // Shapes are of ASCII.
        state = 0
        continue
      }
      let to = next[state | code] as number
      if (to < 0) {
        to = automaton.step(state, code)
        next = automaton.next
        if (to < 0) {
          to = ~to
          found |= automaton.kinds(to)
        }
      }
      state = to
    }
    return found
  }
}
