import { implement } from '@orpc/server'
import { rpcContract } from '../../../shared/rpc/contract.ts'
import type { DesktopState } from '../../../shared/rpc/desktop.ts'
import * as data from './fixtures.ts'
import type { Cell } from './state.ts'

/** A desktop that is live in Windows App, and was told about one refused copy. */
export const desktop: DesktopState = {
  connection: 'fin-desk-01',
  programs: [
    { id: 'windows-app', name: 'Windows App' },
    { id: 'xfreerdp', name: 'FreeRDP', version: '3.9.0' },
  ],
  program: { id: 'windows-app', name: 'Windows App' },
  install: 'Install Windows App from the App Store, or FreeRDP: brew install freerdp',
  phase: { state: 'open', since: data.at(-12 * 60_000 - 44_000) },
  sessionId: 'ses-desk-live',
  said: [
    {
      id: 1,
      at: data.at(-30_000),
      annotation: {
        kind: 'blocked',
        policy: data.desktopPolicies.copyOut,
        message: 'You copied 1 image. It stayed on fin-desk-01.',
        hint: '',
        command: 'rdp:clipboard out',
        requestable: true,
      },
    },
  ],
  endpoint: { host: '127.0.0.1', port: 33891 },
  pastes: false,
  canFront: true,
}

/** The desktop procedures, over a state that tests set. */
export function desktopFixture(state: Cell<DesktopState>) {
  const os = implement(rpcContract).desktop
  const change = (next: Partial<DesktopState>): void => state.set({ ...state.get(), ...next })
  const launch = (id: string | undefined): void => {
    const program = state.get().programs.find((p) => p.id === id) ?? state.get().program
    change({
      phase: { state: 'open', since: data.at(0) },
      ...(program === undefined ? {} : { program }),
    })
  }
  return {
    open: os.open.handler(() => ({ id: 'desk-1' })),
    attach: os.attach.handler(({ signal }) => state.follow(signal)),
    launch: os.launch.handler(({ input }) => launch(input.program)),
    front: os.front.handler(() => undefined),
    password: os.password.handler(() => ({ user: 'k3v9q2xwa', password: 'one-time' })),
    view: os.view.handler(async function* () {}),
    send: os.send.handler(() => undefined),
    end: os.end.handler(() => change({ phase: { state: 'ended' } })),
    close: os.close.handler(() => undefined),
  }
}
