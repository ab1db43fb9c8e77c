import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface DeskAccount {
  user: string
  uid: number
  gid: number
  /** Ends its programs. */
  endAll(): Promise<void>
  /** Ends its programs and takes it away. */
  remove(): Promise<void>
}

/** An account of this machine for one desktop, with a password: xrdp signs people in as the system does. Needs root. */
export async function deskAccount(user: string, home: string, password: string): Promise<DeskAccount> {
  if (!(await exists(user))) {
    await run('useradd', ['--user-group', '--no-create-home', '--home-dir', home, '--shell', '/bin/bash', user])
  }
  const setting = run('chpasswd')
  setting.child.stdin?.end(`${user}:${password}\n`)
  await setting
  const [uid, gid] = await Promise.all(['-u', '-g'].map(async (flag) => Number((await run('id', [flag, user])).stdout)))
  if (uid === undefined || gid === undefined || uid < 1000)
    throw new Error(`The account ${user} is not as it should be.`)
  // What a demo left that was killed: its desktop would be taken for the new one.
  await endAllOf(uid)
  await forgetDisplays(uid)
  return {
    user,
    uid,
    gid,
    endAll: () => endAllOf(uid),
    remove: async () => {
      await endAllOf(uid)
      await forgetDisplays(uid)
      await run('userdel', [user])
    },
  }
}

async function exists(user: string): Promise<boolean> {
  const child = execFile('id', ['-u', user])
  const [code] = await once(child, 'exit')
  return code === 0
}

/** Removes sockets and locks of an account's X servers, none of which runs any more. */
async function forgetDisplays(uid: number): Promise<void> {
  for (const [folder, name] of [
    ['/tmp/.X11-unix', /^X\d+$/],
    ['/tmp', /^\.X\d+-lock$/],
  ] as const) {
    if (!existsSync(folder)) continue
    for (const file of (await readdir(folder))
      .filter((entry) => name.test(entry))
      .map((entry) => join(folder, entry))) {
      // Others end meanwhile.
      const owner = await stat(file).catch(() => undefined)
      if (owner?.uid === uid) await rm(file, { force: true })
    }
  }
}

const rounds = 40
const roundMs = 50

/** Ends every program that runs as `uid`. */
async function endAllOf(uid: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const processes = await processesOf(uid)
    if (processes.length === 0) return
    for (const pid of processes) kill(pid, round < 5 ? 'SIGTERM' : 'SIGKILL')
    await new Promise((resolve) => setTimeout(resolve, roundMs))
  }
}

async function processesOf(uid: number): Promise<number[]> {
  const found = await Promise.all(
    (await readdir('/proc'))
      .filter((entry) => /^\d+$/.test(entry))
      .map(async (entry) => {
        const status = await readFile(`/proc/${entry}/status`, 'utf8').catch(() => '')
        // A zombie is over; its parent has yet to hear of it.
        const over = /^State:\s+Z/m.test(status)
        return !over && Number(/^Uid:\s+(\d+)/m.exec(status)?.[1] ?? -1) === uid ? Number(entry) : undefined
      }),
  )
  return found.filter((pid) => pid !== undefined)
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // It ended by itself meanwhile.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
