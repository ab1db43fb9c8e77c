import { Command } from 'commander'

export function policyCommand(): Command {
  return new Command('policy')
    .description('policy as code')
    .addCommand(
      new Command('check')
        .description('read a policy folder as the gateway would; says file, line and reason of what is wrong')
        .argument('<dir>')
        .option('--config <file>', 'the gateway’s configuration: then @notify must name its channels')
        .action(async (dir: string, { config }: { config?: string }) =>
          (await import('../policy.ts')).checkFolder(dir, config),
        ),
    )
    .addCommand(
      new Command('test')
        .description('run the tests that are beside the policies')
        .argument('<dir>')
        .action(async (dir: string) => (await import('../policy.ts')).testFolder(dir)),
    )
    .addCommand(
      new Command('explain')
        .description('what the gateway would decide, without running it')
        .argument('<name>')
        .requiredOption('--sql <text>', 'the statement, or for SSH the command')
        .option('--as <user>', 'for this identity, where you may review on the connection; without it, for yourself')
        .option('--json', 'as JSON')
        .action(async (name: string, options: { sql: string; as?: string; json?: true }) =>
          (await import('../policy.ts')).explain(name, options),
        ),
    )
}
