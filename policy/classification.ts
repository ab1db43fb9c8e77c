import { z } from 'zod'
import type { PolicyProblem } from '../shared/link.ts'
import { type ColumnGlob, parseColumnGlob } from './columns.ts'
import { byPattern } from './detect/span.ts'
import { builtinDetectors, type Detector, isBuiltinDetector, union } from './detectors.ts'
import { type MaskKind, maskKinds } from './masks.ts'
import { compilePattern, re2Finder } from './pattern.ts'
import { parseYaml } from './yaml.ts'

export const classificationFile = 'classification.yaml'

/** A kind of sensitive data, and what is done about it. */
export interface DataClass {
  readonly name: string
  readonly mask: MaskKind
  /** What values of other types than text become: NULL, or a fixed value of their type. */
  readonly others: 'null' | 'fixed'
  /** What a masked column may still be used for: nothing, equality with a constant, anything. */
  readonly use: 'none' | 'lookup' | 'any'
  /** What an expression derived from it becomes. */
  readonly derived: 'null' | 'block'
  readonly columns: readonly ColumnGlob[]
  /** Finds its values in free text; undefined when the class has no detectors. */
  readonly detector?: Detector
}

/** Columns of free text or JSON: not sensitive as a whole, but searched with the detectors of every class. */
export interface ScannedColumns {
  readonly columns: readonly ColumnGlob[]
  /** As a class's. */
  readonly use: DataClass['use']
  readonly derived: DataClass['derived']
}

const use = z.enum(['none', 'lookup', 'any']).default('none')
const derived = z.enum(['null', 'block']).default('block')

const ClassificationFile = z.strictObject({
  classes: z.record(
    z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/, 'a data class is named in lower case: letters, digits, _ and -'),
    z.strictObject({
      description: z.string().optional(),
      mask: z.enum(maskKinds),
      others: z.enum(['null', 'fixed']).default('null'),
      columns: z.array(z.string()).default([]),
      detectors: z.array(z.union([z.string(), z.strictObject({ name: z.string(), pattern: z.string() })])).default([]),
      use,
      derived,
    }),
  ),
  scan: z
    .array(
      z.union([
        z
          .string()
          .transform((glob) => ({ columns: [glob], use: use.parse(undefined), derived: derived.parse(undefined) })),
        z.strictObject({ columns: z.array(z.string()).min(1), use, derived }),
      ]),
    )
    .default([]),
})

/** Reads classification.yaml. The order of the classes is kept: the first that covers a column has it. */
export function parseClassification(
  file: string,
  text: string,
):
  | {
      ok: true
      classes: readonly DataClass[]
      scans: readonly ScannedColumns[]
      lineOf(dataClass: string): number
    }
  | { ok: false; problems: PolicyProblem[] } {
  const parsed = parseYaml(file, text, ClassificationFile)
  if (!parsed.ok) return parsed
  const problems: PolicyProblem[] = []
  const classes: DataClass[] = []
  for (const [name, entry] of Object.entries(parsed.value.classes)) {
    const problem = (path: readonly PropertyKey[], reason: string): void => {
      problems.push({ file, line: parsed.lineAt(['classes', name, ...path]), reason: `${name}: ${reason}` })
    }
    const columns = globs(entry.columns, (i, reason) => problem(['columns', i], reason))
    const detectors: Detector[] = []
    for (const [i, detector] of entry.detectors.entries()) {
      const made = makeDetector(detector)
      if (typeof made === 'string') problem(['detectors', i], made)
      else detectors.push(made)
    }
    if (entry.columns.length === 0 && entry.detectors.length === 0) {
      problem([], 'has neither columns nor detectors, so it covers nothing')
    }
    const { mask, others, use, derived } = entry
    classes.push({
      name,
      mask,
      others,
      use,
      derived,
      columns,
      ...(detectors.length === 0 ? {} : { detector: together(detectors) }),
    })
  }
  const scans = parsed.value.scan.map(({ columns, ...rest }, at): ScannedColumns => {
    const problem = (i: number, reason: string): void => {
      const line = Math.max(parsed.lineAt(['scan', at]), parsed.lineAt(['scan', at, 'columns', i]))
      problems.push({ file, line, reason: `scan: ${reason}` })
    }
    return { columns: globs(columns, problem), ...rest }
  })
  if (scans.length > 0 && !classes.some((each) => each.detector)) {
    const reason = 'scan: no class has detectors, so nothing would be found in these columns'
    problems.push({ file, line: parsed.lineAt(['scan']), reason })
  }
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, classes, scans, lineOf: (name) => parsed.lineAt(['classes', name]) }
}

function globs(texts: readonly string[], problem: (i: number, reason: string) => void): ColumnGlob[] {
  const made: ColumnGlob[] = []
  for (const [i, text] of texts.entries()) {
    const glob = parseColumnGlob(text)
    if (typeof glob === 'string') problem(i, glob)
    else made.push(glob)
  }
  return made
}

/** A detector, or the reason in words why there is none. */
function makeDetector(detector: string | { name: string; pattern: string }): Detector | string {
  if (typeof detector === 'string') {
    if (isBuiltinDetector(detector)) return builtinDetectors[detector]
    return `no detector is called "${detector}"; there are ${Object.keys(builtinDetectors).join(', ')}`
  }
  const pattern = compilePattern(detector.pattern)
  if (typeof pattern !== 'string') return { find: byPattern(pattern) }
  // Patterns beyond the quick part are RE2's, which takes linear time for any of them.
  const finder = re2Finder(detector.pattern)
  return typeof finder === 'string' ? `detector ${detector.name}: ${finder}` : { find: finder }
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

/** How a column of free text is treated, if it is marked for scanning. */
export function scanOf(
  scans: readonly ScannedColumns[],
  connection: string,
  schema: string,
  table: string,
  column: string,
): ScannedColumns | undefined {
  return scans.find((each) => each.columns.some((glob) => glob.matches(connection, schema, table, column)))
}
