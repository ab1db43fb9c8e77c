import { mkdir, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from './pipeline.ts'
import { regress } from './regress.ts'
import { isPerfect, type Score, summary } from './score.ts'
import { sharedFolder } from './server.ts'
import { prepareSources, type Sources } from './sources.ts'

/**
 * `npm run conformance [-- regress [TEST …] | pipeline | node-postgres]`: other people's test suites, directly against a
 * PostgreSQL and through a gateway that allows everything. Ends with 1 unless every test gives the same.
 */
type Suite = (place: { sources: Sources; folder: string }, only: readonly string[]) => Promise<Score>

const suites: Readonly<Record<string, Suite>> = {
  pipeline: ({ sources }) => pipeline(sources),
  regress: ({ sources, folder }, only) => regress(sources, folder, only),
}

const [wanted, ...only] = process.argv.slice(2)
if (wanted !== undefined && suites[wanted] === undefined) {
  process.stderr.write(`There is no suite "${wanted}"; there are ${Object.keys(suites).join(', ')}.\n`)
  process.exit(2)
}
// The server's account reads what is built there, so it lies where everybody can pass.
const cache =
  process.env.SALLYPORT_CONFORMANCE ??
  join(process.getuid?.() === 0 ? '/var/cache' : join(homedir(), '.cache'), 'sallyport')
await mkdir(cache, { recursive: true })
const sources = await prepareSources(cache)
let perfect = true
for (const [name, suite] of Object.entries(suites)) {
  if (wanted !== undefined && wanted !== name) continue
  const folder = await sharedFolder(name)
  process.stderr.write(`conformance: ${name} …\n`)
  const score = await suite({ sources, folder }, only)
  process.stdout.write(`${summary(score)}\n`)
  if (isPerfect(score)) {
    await rm(folder, { recursive: true, force: true })
    continue
  }
  perfect = false
  const file = join(folder, 'differences.txt')
  await writeFile(
    file,
    score.results
      .map(({ name, difference }) => (difference === undefined ? '' : `## ${name}\n${difference}\n`))
      .join(''),
  )
  process.stdout.write(`  the differences: ${file}\n`)
}
process.exitCode = perfect ? 0 : 1
