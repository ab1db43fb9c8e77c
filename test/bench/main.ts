import { cpus, totalmem } from 'node:os'
import { type Ready, startDemo } from '../support/demo.ts'
import { benchDesktop } from './desktop.ts'
import { benchPostgres } from './postgres.ts'
import { benchRdp } from './rdp.ts'
import { benchRequests } from './requests.ts'
import { benchSsh } from './ssh.ts'
import { type Row, table } from './stats.ts'

/** `npm run bench [-- postgres ssh desktop rdp requests]`: one demo, every figure side by side in one run. */
const suites: Record<string, (demo: Ready, pid: number) => Promise<Row[]>> = {
  postgres: benchPostgres,
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

const demo = await startDemo()
const rows: Row[] = []
try {
  for (const [name, suite] of Object.entries(suites)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    process.stderr.write(`bench: ${name} …\n`)
    rows.push(...(await suite(demo.ready, demo.pid)))
  }
} finally {
  await demo.stop()
}
const cpu = cpus()
process.stdout.write(
  `${cpu.length} × ${cpu[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}\n\n${table(rows)}\n`,
)
