import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Browser, Page } from 'playwright-core'
import { fillIn } from './client.ts'
import type { Ready } from './demo.ts'
import type { Ran } from './run.ts'

const main = join(import.meta.dirname, '..', '..', 'cli', 'main.ts')

/** A person's own command line, with a browser of its own for where a command asks to sign in. */
export interface PersonCli {
  /** Runs a command to its end; `walk` signs in on each page that it names. */
  run(args: readonly string[], options?: { input?: string; walk?: (page: Page) => Promise<void> }): Promise<Ran>
  close(): Promise<void>
}

/** `sallyport login` as a person. */
export async function personCli(
  browser: Browser,
  demo: Pick<Ready, 'people' | 'gateway'>,
  username: string,
): Promise<PersonCli> {
  const home = await mkdtemp(join(tmpdir(), 'sallyport-person-'))
  const context = await browser.newContext()
  const page = await context.newPage()
  const cli: PersonCli = {
    async run(args, { input = '', walk } = {}) {
      const env = { ...process.env, SALLYPORT_HOME: home, SALLYPORT_NO_BROWSER: '1' }
      const child = spawn(process.execPath, [main, ...args], { env, stdio: 'pipe' })
      const exited = once(child, 'exit')
      child.stdin.end(input)
      let stdout = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text
      })
      let stderr = ''
      for await (const line of createInterface({ input: child.stderr })) {
        stderr += `${line}\n`
        const [, url] = /^ {2}(http:\S+)$/.exec(line) ?? []
        if (url === undefined || walk === undefined) continue
        await page.goto(url)
        await walk(page)
      }
      await exited
      return { code: child.exitCode, stdout, stderr }
    },
    async close() {
      await context.close()
      await rm(home, { recursive: true, force: true })
    },
  }
  const signedIn = await cli.run(['login', '--gateway', demo.gateway], { walk: (p) => fillIn(p, demo, username) })
  if (signedIn.code !== 0) throw new Error(`${username} could not sign in: ${signedIn.stderr}`)
  return cli
}
