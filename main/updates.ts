import type { Platform, UpdateState } from '../shared/rpc/contract.ts'
import { fail } from './problem.ts'
import { Watched } from './watched.ts'

/** How new versions come. The desktop shell brings one that verifies signatures; others have none. */
export interface Updates {
  readonly state: Watched<UpdateState>
  /** Looks for a new version now, and fetches one that is there. What goes wrong is told by `state`. */
  check(): Promise<void>
  /** Closes the app, installs what is ready, and starts again. Rejects when nothing is ready. */
  install(): Promise<void>
}

const why: Readonly<Record<Platform['shell'], string>> = {
  browser: 'This client comes with the sallyport command, and is new when that is.',
  electron: 'This copy was not installed from a release, so nothing updates it.',
}

/** No updates by itself, and why. */
export function noUpdates(shell: Platform['shell']): Updates {
  const refuse = (): Promise<void> => Promise.reject(fail('bad-input', why[shell]))
  return { state: new Watched<UpdateState>({ state: 'none', why: why[shell] }), check: refuse, install: refuse }
}
