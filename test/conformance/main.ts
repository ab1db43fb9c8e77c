import { mkdir, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { contrib } from './contrib.ts'
import { isolation } from './isolation.ts'
import { matrix } from './matrix.ts'
import { nodePostgres } from './node-postgres.ts'
import { pipeline } from './pipeline.ts'
import { regress } from './regress.ts'
import { kept, readScores, type Score, summary, writeScores } from './score.ts'
import { secrets } from './secrets.ts'
import { sharedFolder } from './server.ts'
import { prepareSources } from './sources.ts'

/**
 * `npm run conformance [-- [--record] SUITE [TEST …]]`: other people's test suites, directly against a PostgreSQL and through a
 * gateway that allows everything; and `secrets`, which compares worlds that differ in what is masked. Ends with 1 where a test that gave the same when the scores were recorded does not any more.
 * `--record` makes what comes out the new scores.
 */
type Suite = (place: { cache: string; folder: string }, only: readonly string[]) => Promise<Score>

const suites: Readonly<Record<string, Suite>> = {
  pipeline: async ({ cache }) => pipeline(await prepareSources(cache)),
  regress: async ({ cache, folder }, only) => regress(await prepareSources(cache), folder, only),
  isolation: async ({ cache, folder }, only) => isolation(await prepareSources(cache), folder, only),
  contrib: async ({ cache, folder }, only) => contrib(await prepareSources(cache), folder, only),
  'node-postgres': ({ cache }, only) => nodePostgres(cache, only),
  matrix: ({ cache }, only) => matrix(cache, only),
  secrets: ({ cache }, only) => secrets(cache, () => prepareSources(cache), only),
}

const words = process.argv.slice(2)
const record = words.includes('--record')
const [wanted, ...only] = words.filter((word) => word !== '--record')
if (wanted !== undefined && suites[wanted] === undefined) {
  process.stderr.write(`There is no suite "${wanted}"; there are ${Object.keys(suites).join(', ')}.\n`)
  process.exit(2)
}
// The server's account reads what is built there, so it lies where everybody can pass.
const cache =
  process.env.SALLYPORT_CONFORMANCE ??
  join(process.getuid?.() === 0 ? '/var/cache' : join(homedir(), '.cache'), 'sallyport')
await mkdir(cache, { recursive: true })
const scores = await readScores()
let worse = false
for (const [name, suite] of Object.entries(suites)) {
  if (wanted !== undefined && wanted !== name) continue
  const folder = await sharedFolder(name)
  process.stderr.write(`conformance: ${name} …\n`)
  const score = await suite({ cache, folder }, only)
  process.stdout.write(`${summary(score)}\n`)
  const lost = kept(scores[name], score, only.length === 0)
  for (const line of lost) process.stdout.write(`  worse than recorded: ${line}\n`)
  if (lost.length > 0) worse = true
  if (record && only.length === 0) await writeScores({ [name]: score })
  const differences = score.results.flatMap(({ name: test, difference }) =>
    difference === undefined ? [] : [`## ${test}\n${difference}\n`],
  )
  if (differences.length === 0) {
    await rm(folder, { recursive: true, force: true })
    continue
  }
  const file = join(folder, 'differences.txt')
  await writeFile(file, differences.join(''))
  process.stdout.write(`  the differences: ${file}\n`)
}
process.exitCode = worse && !record ? 1 : 0
