import type { KeyObject } from 'node:crypto'
import type { Log } from '../main/log.ts'
import { fail, messageOf } from '../main/problem.ts'
import type { Updates } from '../main/updates.ts'
import { Watched } from '../main/watched.ts'
import type { UpdateState } from '../shared/rpc/contract.ts'
import { isSignedRelease } from './update-signature.ts'

/** The parts of electron-updater's autoUpdater that are used; its own fits. */
export interface Updater {
  autoDownload: boolean
  autoInstallOnAppQuit: boolean
  allowDowngrade: boolean
  allowPrerelease: boolean
  disableWebInstaller: boolean
  on(event: 'update-not-available', listener: () => void): unknown
  on(event: 'update-available', listener: (info: { version: string }) => void): unknown
  on(event: 'download-progress', listener: (progress: { percent: number }) => void): unknown
  on(event: 'update-downloaded', listener: (info: { version: string }) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  checkForUpdates(): Promise<unknown>
  downloadUpdate(): Promise<unknown>
  quitAndInstall(silent: boolean, runAfter: boolean): void
}

export interface UpdateOptions {
  updater: Updater
  key: KeyObject
  log: Log
  now?(): Date
}

export interface DesktopUpdates extends Updates {
  /** Looks now and every few hours, and fetches what it finds, while `automatic`. */
  follow(mode: 'automatic' | 'manual'): void
  stop(): void
}

const everyMs = 4 * 60 * 60_000

/**
 * New versions of the desktop app. Three things have to hold before one is installed: the release is signed with the key that this build
 * carries (checked before a byte is fetched), the fetched file has the hash that was signed (electron-updater), and the system's own
 * signature is the publisher's (macOS, Windows). Which copies see it first is the release's `stagingPercentage`.
 */
export function desktopUpdates({ updater, key, log, now = () => new Date() }: UpdateOptions): DesktopUpdates {
  const state = new Watched<UpdateState>({ state: 'current' })
  let fetching = false
  let timer: ReturnType<typeof setInterval> | undefined

  updater.autoDownload = false
  updater.autoInstallOnAppQuit = false
  updater.allowDowngrade = false
  updater.allowPrerelease = false
  // It would fetch the package by itself, past what was signed.
  updater.disableWebInstaller = true

  const failed = (message: string, hint: string, error?: unknown): void => {
    log.warn({ err: error }, message)
    state.set({ state: 'failed', problem: { code: 'failed', message, hint, action: 'retry' } })
  }
  updater.on('update-not-available', () => state.set({ state: 'current', checkedAt: now().toISOString() }))
  updater.on('update-available', (info) => {
    if (!isSignedRelease(info, key)) {
      failed(
        `Version ${info.version} is not signed by who made this one, so it was not fetched.`,
        'Tell who runs your gateway.',
      )
      return
    }
    if (!fetching) {
      state.set({ state: 'available', version: info.version })
      return
    }
    state.set({ state: 'downloading', version: info.version, percent: 0 })
    updater.downloadUpdate().catch((error: unknown) => {
      failed('The new version could not be fetched.', 'It is tried again later.', error)
    })
  })
  updater.on('download-progress', ({ percent }) => {
    const before = state.get()
    if (before.state === 'downloading') state.set({ ...before, percent })
  })
  updater.on('update-downloaded', ({ version }) => {
    // Only what went through the check above is ever downloading.
    if (state.get().state !== 'downloading') return
    updater.autoInstallOnAppQuit = true
    state.set({ state: 'ready', version })
  })
  updater.on('error', (error) => failed('The new version could not be looked for.', messageOf(error), error))

  const look = async (fetch: boolean): Promise<void> => {
    const { state: is } = state.get()
    if (is === 'checking' || is === 'downloading' || is === 'ready') return
    fetching = fetch
    state.set({ state: 'checking' })
    // What goes wrong also comes as an error event, which tells it.
    await updater.checkForUpdates().catch((error: unknown) => log.warn({ err: error }, 'looking for a new version'))
    if (state.get().state === 'checking') state.set({ state: 'current', checkedAt: now().toISOString() })
  }
  return {
    state,
    check: () => look(true),
    install: async () => {
      if (state.get().state !== 'ready') throw fail('bad-input', 'No new version is ready.')
      updater.quitAndInstall(false, true)
    },
    follow(mode) {
      clearInterval(timer)
      timer = undefined
      if (mode === 'manual') return
      timer = setInterval(() => void look(true), everyMs)
      timer.unref()
      void look(true)
    },
    stop: () => clearInterval(timer),
  }
}
