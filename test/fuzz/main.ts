import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Behaviour } from './behaviour.ts'
import { Coverage } from './coverage.ts'
import { prepare } from './ground.ts'
import { fromJson, type Input, toJson } from './input.ts'
import { minimise } from './minimise.ts'
import { mutate } from './mutate.ts'
import { Random } from './random.ts'
import { examine } from './run.ts'

/**
 * `npm run fuzz [-- --frames N] [--seed N] [--keep-going] | --replay FILE`: sessions that nobody would have, through the
 * inspector's both directions, until N frames went in. What runs for the first time is kept and varied further. Ends with 1
 * at the first problem, with the smallest input that shows it.
 */
const { values: options } = parseArgs({
  options: {
    frames: { type: 'string', default: '10000000' },
    seed: { type: 'string' },
    'keep-going': { type: 'boolean', default: false },
    replay: { type: 'string' },
  },
})
const wanted = Number(options.frames)
const seed = options.seed === undefined ? Date.now() >>> 0 : Number(options.seed)
const random = new Random(seed)
const { ground, seeds, stock } = await prepare()

let current: Input | undefined
const crashed = (error: unknown): void => {
  process.stdout.write(`fuzz: it crashed: ${error instanceof Error ? error.stack : String(error)}\n`)
  if (current !== undefined) process.stdout.write(`${toJson(current)}\n`)
  process.exit(1)
}
process.on('uncaughtException', crashed)
process.on('unhandledRejection', crashed)

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

if (options.replay !== undefined) {
  current = fromJson(await readFile(options.replay, 'utf8'))
  const problems = await problemsOf(current)
  for (const one of problems) process.stdout.write(`${one}\n`)
  process.exit(problems.length === 0 ? 0 : 1)
}

/** Memory may grow by this much after the first million frames. */
const mostGrowth = 48 << 20
const measureEvery = 1_000_000
const mostKept = 1_500

interface Kept {
  input: Input
  answers: readonly Buffer[]
}

process.stdout.write(`fuzz: seed ${seed}, ${wanted} frames\n`)
const coverage = new Coverage(['/agent/inspect/postgres/', '/shared/'])
const behaviour = new Behaviour()
const kept: Kept[] = []
const known = new Set<string>()
const started = performance.now()
let frames = 0
let sessions = 0
let measureAt = measureEvery
let base: number | undefined

for (const input of seeds) await one(input, true)
while (frames < wanted) {
  // What was found last is where the next find is likely.
  const recent = random.chance(50) ? Math.max(0, kept.length - 20) : 0
  const parent = kept[recent + random.below(kept.length - recent)]
  if (parent === undefined) throw new Error('there are no seeds')
  await one(mutate(parent.input, parent.answers, stock, random), false)
  if (frames >= measureAt) measure()
}
coverage.close()
progress()
process.exit(known.size === 0 ? 0 : 1)

async function one(input: Input, keep: boolean): Promise<void> {
  current = input
  const result = await examine(ground, input, new Random(seed))
  frames += result.frames
  sessions += input.live ? 3 : 2
  if (result.problems.length > 0) await failed(input, result.problems)
  else if ([coverage.grew(), behaviour.grew(result.seen), keep].includes(true)) {
    kept.push({ input, answers: result.seen.answers })
    if (kept.length > mostKept) kept.splice(seeds.length, 1)
  }
}

async function problemsOf(input: Input): Promise<string[]> {
  return (await examine(ground, input, new Random(seed))).problems
}

async function failed(input: Input, problems: readonly string[]): Promise<void> {
  const kind = kindOf(problems[0] ?? '')
  if (known.has(kind)) return
  known.add(kind)
  const least = await minimise(input, async (less) => (await problemsOf(less)).some((words) => kindOf(words) === kind))
  process.stdout.write(`fuzz: ${(await problemsOf(least)).join('\n      ')}\n${toJson(least)}\n`)
  if (!options['keep-going']) process.exit(1)
}

function kindOf(problem: string): string {
  return problem.split(':')[0] ?? ''
}

function measure(): void {
  measureAt += measureEvery
  progress()
  collect()
  const used = process.memoryUsage().heapUsed
  base ??= used
  if (used - base <= mostGrowth) return
  process.stdout.write(`fuzz: memory grew from ${base >> 20} to ${used >> 20} MiB\n`)
  process.exit(1)
}

function progress(): void {
  const seconds = Math.round((performance.now() - started) / 1000)
  const { functions, missing } = coverage
  const heap = process.memoryUsage().heapUsed >> 20
  process.stdout.write(
    `fuzz: ${frames} frames, ${sessions} sessions, ${seconds} s; ${kept.length} inputs kept, ${functions} functions ran, ${missing} bytes in them did not; heap ${heap} MiB\n`,
  )
}
