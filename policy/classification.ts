import { z } from 'zod'
import type { PolicyProblem } from '../shared/link.ts'
import { type ColumnGlob, parseColumnGlob } from './columns.ts'
import { byPattern } from './detect/span.ts'
import { builtinDetectors, type Detector, isBuiltinDetector, union } from './detectors.ts'
import { type MaskKind, maskKinds } from './masks.ts'
import { compilePattern } from './pattern.ts'
import { parseYaml } from './yaml.ts'

export const classificationFile = 'classification.yaml'

/** A kind of sensitive data, and what is done about it. */
export interface DataClass {
  readonly name: string
  readonly mask: MaskKind
  /** What a masked column may still be used for: nothing, equality with a constant, anything. */
  readonly use: 'none' | 'lookup' | 'any'
  /** What an expression derived from it becomes. */
  readonly derived: 'null' | 'block'
  readonly columns: readonly ColumnGlob[]
  /** Finds its values in free text; undefined when the class has no detectors. */
  readonly detector?: Detector
}

const ClassificationFile = z.strictObject({
  classes: z.record(
    z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/, 'a data class is named in lower case: letters, digits, _ and -'),
    z.strictObject({
      description: z.string().optional(),
      mask: z.enum(maskKinds),
      columns: z.array(z.string()).default([]),
      detectors: z.array(z.union([z.string(), z.strictObject({ name: z.string(), pattern: z.string() })])).default([]),
      use: z.enum(['none', 'lookup', 'any']).default('none'),
      derived: z.enum(['null', 'block']).default('block'),
    }),
  ),
})

/** Reads classification.yaml. The order of the classes is kept: the first that covers a column has it. */
export function parseClassification(
  file: string,
  text: string,
):
  | { ok: true; classes: readonly DataClass[]; lineOf(dataClass: string): number }
  | { ok: false; problems: PolicyProblem[] } {
  const parsed = parseYaml(file, text, ClassificationFile)
  if (!parsed.ok) return parsed
  const problems: PolicyProblem[] = []
  const classes: DataClass[] = []
  for (const [name, entry] of Object.entries(parsed.value.classes)) {
    const problem = (path: readonly PropertyKey[], reason: string): void => {
      problems.push({ file, line: parsed.lineAt(['classes', name, ...path]), reason: `${name}: ${reason}` })
    }
    const columns: ColumnGlob[] = []
    for (const [i, glob] of entry.columns.entries()) {
      const made = parseColumnGlob(glob)
      if (typeof made === 'string') problem(['columns', i], made)
      else columns.push(made)
    }
    const detectors: Detector[] = []
    for (const [i, detector] of entry.detectors.entries()) {
      const made = makeDetector(detector)
      if (typeof made === 'string') problem(['detectors', i], made)
      else detectors.push(made)
    }
    if (entry.columns.length === 0 && entry.detectors.length === 0) {
      problem([], 'has neither columns nor detectors, so it covers nothing')
    }
    const { mask, use, derived } = entry
    classes.push({
      name,
      mask,
      use,
      derived,
      columns,
      ...(detectors.length === 0 ? {} : { detector: together(detectors) }),
    })
  }
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, classes, lineOf: (name) => parsed.lineAt(['classes', name]) }
}

/** A detector, or the reason in words why there is none. */
function makeDetector(detector: string | { name: string; pattern: string }): Detector | string {
  if (typeof detector === 'string') {
    if (isBuiltinDetector(detector)) return builtinDetectors[detector]
    return `no detector is called "${detector}"; there are ${Object.keys(builtinDetectors).join(', ')}`
  }
  const pattern = compilePattern(detector.pattern)
  return typeof pattern === 'string' ? `detector ${detector.name}: ${pattern}` : { find: byPattern(pattern) }
}

function together(detectors: readonly Detector[]): Detector {
  const find = union(detectors.map((detector) => detector.find))
  const anyOf = detectors.flatMap((detector) => (detector.anyOf === undefined ? [] : [detector.anyOf]))
  const shapes = detectors.flatMap((detector) => (detector.shapes === undefined ? [] : [detector.shapes]))
  return {
    find,
    ...(anyOf.length === detectors.length ? { anyOf: anyOf.join('') } : {}),
    ...(shapes.length === detectors.length ? { shapes: shapes.flat() } : {}),
  }
}

/** The class that covers a column on a connection, if any. */
export function classOf(
  classes: readonly DataClass[],
  connection: string,
  schema: string,
  table: string,
  column: string,
): DataClass | undefined {
  return classes.find((each) => each.columns.some((glob) => glob.matches(connection, schema, table, column)))
}
