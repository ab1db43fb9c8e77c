import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import type { PolicyProblem } from '../shared/link.ts'

export type Parsed<T> =
  | { ok: true; value: T; lineAt(path: readonly PropertyKey[]): number }
  | { ok: false; problems: PolicyProblem[] }

/** Parses YAML and checks its shape; every problem points at its line. */
export function parseYaml<T>(file: string, text: string, shape: z.ZodType<T>): Parsed<T> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      file,
      line: Math.max(1, lines.linePos(error.pos[0]).line),
      reason: error.message,
    }))
    return { ok: false, problems }
  }
  const lineAt = (path: readonly PropertyKey[]): number => Math.max(1, lines.linePos(offsetAt(document, path)).line)
  const result = shape.safeParse(toValue(document))
  if (result.success) return { ok: true, value: result.data, lineAt }
  const problems = result.error.issues.map((issue) => {
    const key = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
    const where = issue.path.length === 0 ? '' : `${issue.path.map(String).join('.')}: `
    return { file, line: lineAt([...issue.path, ...key]), reason: `${where}${messageOf(issue)}` }
  })
  return { ok: false, problems }
}

/** Of a bad key, what is wrong with it rather than that it is bad. */
function messageOf(issue: z.core.$ZodIssue): string {
  return (issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined) ?? issue.message
}

function toValue(document: Document.Parsed): unknown {
  return document.contents === null ? {} : document.toJS({ maxAliasCount: 50 })
}

/** Offset of the key that a path names, or of the nearest thing above it that exists. */
function offsetAt(document: Document.Parsed, path: readonly PropertyKey[]): number {
  const last = path.at(-1)
  if (last === undefined) return rangeStart(document.contents)
  const keys = path.slice(0, -1).map((part) => (typeof part === 'symbol' ? String(part) : part))
  const parent = keys.length === 0 ? document.contents : document.getIn(keys, true)
  if (isMap(parent)) {
    for (const { key } of parent.items) {
      if (isScalar(key) && String(key.value) === String(last)) return rangeStart(key)
    }
  }
  const node = document.getIn([...keys, typeof last === 'symbol' ? String(last) : last], true)
  return isNode(node) ? rangeStart(node) : offsetAt(document, path.slice(0, -1))
}

function rangeStart(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0
}
