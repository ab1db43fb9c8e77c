import { z } from 'zod'

/** Columns by name whose values this person does not see; `all` where that is not known. */
export type Hidden = ReadonlySet<string> | 'all'

/**
 * A plan in JSON without the literals that stand beside a masked column: `(email = '•••'::text)`. The person wrote them, but a plan is
 * what people show to others, copy and keep.
 */
export function hideLiterals(json: string, hidden: Hidden): string {
  return JSON.stringify(walk(z.json().parse(JSON.parse(json)), hidden))
}

/** The same for the lines of a plan in text: in those that name a condition. */
export function hideInLines(text: string, hidden: Hidden): string {
  return text
    .split('\n')
    .map((line) => (/^\s*-?\s*"?[A-Z<][\w ]*"?>?:? /.test(line) && !/\(cost=/.test(line) ? inText(line, hidden) : line))
    .join('\n')
}

type Json = z.infer<ReturnType<typeof z.json>>

function walk(value: Json, hidden: Hidden): Json {
  if (typeof value === 'string') return inText(value, hidden)
  if (Array.isArray(value)) return value.map((part) => walk(part, hidden))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, walk(part, hidden)]))
}

const literal = /'(?:[^']|'')*'/g
/** A number that is no part of a name or a parameter. */
const number = /(?<![\w$."])\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w"])/gi
const name = /"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*/gu

function inText(text: string, hidden: Hidden): string {
  // Only conditions and the like are in brackets or hold a string: names of steps, tables and indexes stay as they are.
  if (!/[('<>=]/.test(text)) return text
  if (hidden !== 'all') {
    const names = [...text.replaceAll(literal, "''").matchAll(name)].map(([found]) => bare(found))
    if (!names.some((found) => hidden.has(found))) return text
  }
  return text.replaceAll(literal, "'•••'").replaceAll(number, '•••')
}

function bare(found: string): string {
  return found.startsWith('"') ? found.slice(1, -1).replaceAll('""', '"') : found
}
