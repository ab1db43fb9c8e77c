import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { type Ready, startDemo } from '../support/demo.ts'
import { benchDesktop } from './desktop.ts'
import { writePolicy } from './policy.ts'
import { benchPostgres } from './postgres.ts'
import { benchRdp } from './rdp.ts'
import { benchRequests } from './requests.ts'
import { benchSessions } from './sessions.ts'
import { benchSsh } from './ssh.ts'
import { type Row, table } from './stats.ts'

/** `npm run bench [-- postgres sessions ssh desktop rdp requests]`: one demo, every figure side by side in one run. */
const suites: Record<string, (demo: Ready, pid: number) => Promise<Row[]>> = {
  postgres: benchPostgres,
  sessions: benchSessions,
  ssh: benchSsh,
  desktop: benchDesktop,
  rdp: benchRdp,
  requests: benchRequests,
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => suites[name] === undefined)
if (unknown.length > 0) {
  process.stderr.write(`There is no benchmark "${unknown.join(', ')}"; there are ${Object.keys(suites).join(', ')}.\n`)
  process.exit(2)
}

const policy = await mkdtemp(join(tmpdir(), 'sallyport-bench-'))
await writePolicy(policy)
const demo = await startDemo({ policy })
const rows: Row[] = []
try {
  for (const [name, suite] of Object.entries(suites)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    process.stderr.write(`bench: ${name} …\n`)
    rows.push(...(await suite(demo.ready, demo.pid)))
  }
} finally {
  await demo.stop()
  await rm(policy, { recursive: true, force: true })
}
const cpu = cpus()
const load = loadavg()
  .map((one) => one.toFixed(1))
  .join(', ')
process.stdout.write(
  `${cpu.length} × ${cpu[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}, load ${load}\n\n${table(rows)}\n`,
)
