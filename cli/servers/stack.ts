import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import { createAgent } from '../../agent/agent.ts'
import type { GatewayConfig } from '../../gateway/config.ts'
import { type Gateway, startGateway } from '../../gateway/gateway.ts'
import { collectLess } from './collector.ts'

/** A gateway with an agent in its own process. */
export async function startStack(config: GatewayConfig, log: Logger): Promise<Gateway> {
  collectLess()
  const agentDir = join(config.dataDir, 'agent')
  const agent = await createAgent({ dataDir: agentDir, log: log.child({ part: 'agent' }) })
  let gateway: Gateway
  try {
    gateway = await startGateway(config, {
      agent,
      log: log.child({ part: 'gateway' }),
      fork: () => forkWorker(agentDir),
    })
  } catch (error) {
    await agent.close()
    throw error
  }
  return {
    ...gateway,
    close: async () => {
      try {
        await gateway.close()
      } finally {
        await agent.close()
      }
    },
  }
}

function forkWorker(agentDir: string): ChildProcess {
  return fork(fileURLToPath(new URL('./worker.ts', import.meta.url)), [agentDir], { serialization: 'advanced' })
}
