import { createAgent } from '../../agent/agent.ts'
import { serveSessions } from '../../gateway/workers/serve.ts'
import { collectLess } from './collector.ts'

/** A worker process of a gateway, which forks it: `worker.ts AGENT-FOLDER`. */
const agentDir = process.argv[2]
if (agentDir === undefined) throw new Error('A gateway starts this; nobody else does.')
collectLess()
// A terminal tells every process to stop; the gateway then lets its workers leave in order.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
serveSessions(process, (log) => createAgent({ dataDir: agentDir, log }))
