import { readFile } from 'node:fs/promises'

/** The process ids of a gateway's workers (proc(5); Linux alone tells). */
export async function workersOf(gateway: number): Promise<number[]> {
  const children = (await readFile(`/proc/${gateway}/task/${gateway}/children`, 'utf8')).trim()
  const commands = await Promise.all(
    (children === '' ? [] : children.split(' ')).map(async (pid) => ({
      pid: Number(pid),
      command: await readFile(`/proc/${pid}/cmdline`, 'utf8'),
    })),
  )
  return commands.filter(({ command }) => command.includes('worker.ts')).map(({ pid }) => pid)
}
