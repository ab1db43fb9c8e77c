import { join } from 'node:path'
import type { Logger } from 'pino'
import { createAgent } from '../../agent/agent.ts'
import type { GatewayConfig } from '../../gateway/config.ts'
import { type Gateway, startGateway } from '../../gateway/gateway.ts'

/** A gateway with an agent in its own process. */
export async function startStack(config: GatewayConfig, log: Logger): Promise<Gateway> {
  const agent = await createAgent({ dataDir: join(config.dataDir, 'agent'), log: log.child({ part: 'agent' }) })
  let gateway: Gateway
  try {
    gateway = await startGateway(config, { agent, log: log.child({ part: 'gateway' }) })
  } catch (error) {
    await agent.close()
    throw error
  }
  return {
    ...gateway,
    close: async () => {
      await gateway.close()
      await agent.close()
    },
  }
}
