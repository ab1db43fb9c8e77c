import { oracles } from '../secrets/oracles.ts'
import { type Difference, Tally } from '../secrets/play.ts'
import { smithed } from '../secrets/smith.ts'
import { run, Stage } from '../secrets/stage.ts'
import type { Step } from '../secrets/worlds.ts'
import { which } from '../support/run.ts'
import { serverOf, versions } from './matrix.ts'
import type { Result, Score } from './score.ts'
import { secretsOfRegress } from './secrets-regress.ts'
import type { Sources } from './sources.ts'

/** Programs for each version, and statements of sqlsmith; SECRETS_RUNS for another number. */
const runs = Number(process.env.SECRETS_RUNS ?? 1500)
const seed = Number(process.env.SECRETS_SEED ?? 1)
const majors = ['15', '17', '18']

/**
 * The same statements in worlds that differ in what is masked alone (`test/secrets`), of our own grammar, of sqlsmith where it is
 * installed, and of PostgreSQL's regression suite. "The same" says that nobody can tell by what they got, or by what was recorded.
 */
export async function secrets(cache: string, sources: () => Promise<Sources>, only: readonly string[]): Promise<Score> {
  const results: Result[] = []
  const wanted = (part: string) => only.length === 0 || only.includes(part)
  for (const major of majors) {
    if (wanted(major)) results.push(...(await played(cache, major)))
  }
  if (wanted('regress')) results.push(...(await secretsOfRegress(await sources())))
  return { suite: 'secrets', version: majors.map((major) => versions[major]).join(', '), results }
}

async function played(cache: string, major: string): Promise<Result[]> {
  const stage = await Stage.open(await serverOf(cache, major, versions[major] ?? ''))
  try {
    const told = (played: number, tally: Tally) =>
      process.stderr.write(`secrets: ${major}: ${played} programs: ${tally}\n`)
    const { tally, byName } = await run(stage, seed, runs, told)
    process.stdout.write(`  ${major}: ${tally}\n${refusals(tally)}`)
    const results = [...byName].map(([name, own]) => resultOf(`${major}: ${name}`, own.differences))
    return [...results, ...(await smith(stage, major)), ...(await guessed(stage, major))]
  } finally {
    await stage.close()
  }
}

/** It reads catalogs as they were until PostgreSQL 15. */
async function smith(stage: Stage, major: string): Promise<Result[]> {
  const program = which('sqlsmith')
  if (program === undefined || major !== '15') return []
  const tally = new Tally()
  for (const sql of await smithed(program, stage.worlds.ports[0], seed, runs * 4)) {
    const begin = { sql: 'begin', way: 'simple', between: true } as const
    await stage.play({ name: 'sqlsmith', lasting: false, steps: [begin, { sql, way: 'simple' }] }, tally)
  }
  process.stdout.write(`  ${major}, sqlsmith: ${tally}\n${refusals(tally)}`)
  return [resultOf(`${major}: sqlsmith`, tally.differences)]
}

/** Whether anything fails by what a masked value is, in what the newest server has. */
async function guessed(stage: Stage, major: string): Promise<Result[]> {
  if (major !== majors.at(-1)) return []
  await stage.renew()
  const tally = new Tally()
  const steps = (await oracles(stage.worlds)).map((sql): Step => ({ sql, way: 'simple' }))
  for (let i = 0; i < steps.length; i += 50)
    await stage.play({ name: 'oracles', lasting: false, steps: steps.slice(i, i + 50) }, tally)
  if (tally.counts.masked < 1000) throw new Error(`too few oracles are let through to say anything: ${tally}`)
  process.stdout.write(`  ${major}, oracles: ${tally}\n`)
  return [resultOf(`${major}: oracles`, tally.differences)]
}

function resultOf(name: string, differences: readonly Difference[]): Result {
  const same = differences.length === 0
  return {
    name,
    direct: 'ok',
    through: same ? 'ok' : 'failed',
    same,
    ...(same ? {} : { difference: differences.map(described).join('\n\n') }),
  }
}

function described({ program, at, told: [one, other] }: Difference): string {
  const steps = program.slice(0, at === 'record' ? undefined : at + 1).filter(({ between }) => between !== true)
  const texts = steps.map(({ sql, way }) => `[${way}] ${sql}`)
  return [...texts, at === 'record' ? 'the records differ' : 'the answers differ', one, other].join('\n')
}

const mostSaid = 12

function refusals(tally: Tally): string {
  const most = [...tally.refusals].sort(([, a], [, b]) => b.times - a.times).slice(0, mostSaid)
  return most
    .map(([why, { times, sql }]) => `    ${times} × ${why} | ${sql.replaceAll(/\s+/g, ' ').slice(0, 120)}\n`)
    .join('')
}
