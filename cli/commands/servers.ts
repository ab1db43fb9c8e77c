import { Command, Option } from 'commander'
import type { DemoOptions } from '../servers/options.ts'
import { wholeUpTo } from './whole.ts'

/** The commands that start servers. What they start is imported only when they run, so that the others stay quick. */

export function demoCommand(): Command {
  return new Command('demo')
    .description('gateway, agent and a world of real targets with data, to try everything on this machine')
    .option('--headless', 'without the client')
    .option('--data <dir>', 'where the demo keeps its data')
    .option('--policy <dir>', 'a policy folder in place of the demo’s own')
    .option(
      '--port <n>',
      'port of the gateway; the native listeners take the next two; 0 picks free ones',
      wholeUpTo(65_533, 'a port is a number from 0 to 65533'),
      7400,
    )
    .option(
      '--workers <n>',
      'processes for PostgreSQL sessions; 0: the gateway’s own (default: by cores)',
      wholeUpTo(64, 'a number from 0 to 64'),
    )
    .option('--store <url>', 'keep the gateway’s state in this PostgreSQL instead of an embedded one')
    .option('--expose-targets', 'say where the targets themselves listen, for benchmarks and tests')
    .option('--json', 'print one line of JSON when all is ready, and no client')
    .addOption(
      new Option('--shell <kind>', 'which client opens').choices(['electron', 'browser']).default('browser').hideHelp(),
    )
    .action(async (options: DemoOptions) => {
      const { runDemo } = await import('../servers/demo.ts')
      await runDemo(options)
    })
}

/** What `npm start` runs: the demo with the desktop client. */
export function startCommand(): Command {
  return demoCommand().name('start')
}

export function gatewayCommand(): Command {
  return new Command('gateway')
    .description('the gateway, with an agent in its process for the targets that it reaches itself')
    .requiredOption('--config <file>', 'YAML; see docs/operations.md')
    .action(async (options: { config: string }) => {
      const { runGateway } = await import('../servers/gateway.ts')
      await runGateway(options.config)
    })
}
