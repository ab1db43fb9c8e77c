import { readConfig } from '../../gateway/config.ts'
import { serverLog } from './log.ts'
import { onStop, ownProcessEnd } from './signals.ts'
import { startStack } from './stack.ts'

/** `sallyport gateway --config FILE`: serves until it is told to stop. Rejects, with the place and reason, on a bad file. */
export async function runGateway(file: string): Promise<void> {
  ownProcessEnd()
  const log = serverLog('stderr')
  const config = await readConfig(file)
  const gateway = await startStack(config, log)
  onStop(() => gateway.close())
  process.stderr.write(`sallyport: ${config.name} is ready at ${gateway.url}\n`)
}
