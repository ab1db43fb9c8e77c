import { cp, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const demoPolicy = join(import.meta.dirname, '..', '..', 'demo', 'policy')

/** How many rules decide on what is measured: as many as a team has after a while. */
const ruleCount = 50

/** Writes the demo's policy to `folder`, with rules that look at the same requests and apply to none of them, up to `ruleCount`. */
export async function writePolicy(folder: string): Promise<void> {
  await cp(demoPolicy, folder, { recursive: true })
  let known = 0
  for (const name of await readdir(folder)) {
    if (name.endsWith('.cedar')) known += countRules(await readFile(join(folder, name), 'utf8'))
  }
  await writeFile(join(folder, 'bench.cedar'), moreRules(known))
}

/** The rules that fill up a policy of `known` ones. */
export function moreRules(known: number): string {
  return `${Array.from({ length: Math.max(0, ruleCount - known) }, (_, i) => rule(i)).join('\n')}\n`
}

function countRules(text: string): number {
  return text.match(/^(permit|forbid)/gm)?.length ?? 0
}

function rule(n: number): string {
  return `@id("bench-${n}")
@reason("Archived tables are not written to.")
forbid (principal, action in [Action::"sql:write", Action::"sql:ddl"], resource)
when { context.tables.contains("archive.t${n}") && !context.hasWhere };`
}
