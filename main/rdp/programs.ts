import type { DesktopProgram, DesktopProgramId } from '../../shared/rpc/desktop.ts'

/** A program that is installed, and how to start it: an executable, or an app's name on macOS. */
export interface InstalledProgram extends DesktopProgram {
  path: string
}

/** Where a program may be, best first. */
export interface Candidate {
  id: DesktopProgramId
  name: string
  /** Names looked for on the PATH. */
  executables: readonly string[]
  /** Whole paths, where the system keeps it. */
  paths: readonly string[]
}

const candidates: Readonly<Record<'win32' | 'darwin' | 'linux', readonly Candidate[]>> = {
  win32: [
    { id: 'mstsc', name: 'Remote Desktop Connection', executables: ['mstsc.exe'], paths: [] },
    { id: 'sdl-freerdp', name: 'FreeRDP (SDL)', executables: ['sdl-freerdp3.exe', 'sdl-freerdp.exe'], paths: [] },
    { id: 'xfreerdp', name: 'FreeRDP', executables: ['wfreerdp.exe'], paths: [] },
  ],
  darwin: [
    {
      id: 'windows-app',
      name: 'Windows App',
      executables: [],
      paths: ['/Applications/Windows App.app', '/Applications/Microsoft Remote Desktop.app'],
    },
    { id: 'sdl-freerdp', name: 'FreeRDP (SDL)', executables: ['sdl-freerdp3', 'sdl-freerdp'], paths: [] },
    { id: 'xfreerdp', name: 'FreeRDP', executables: ['xfreerdp3', 'xfreerdp'], paths: [] },
  ],
  linux: [
    { id: 'xfreerdp', name: 'FreeRDP', executables: ['xfreerdp3', 'xfreerdp'], paths: [] },
    { id: 'sdl-freerdp', name: 'FreeRDP (SDL)', executables: ['sdl-freerdp3', 'sdl-freerdp'], paths: [] },
    { id: 'wlfreerdp', name: 'FreeRDP for Wayland', executables: ['wlfreerdp3', 'wlfreerdp'], paths: [] },
    { id: 'remmina', name: 'Remmina', executables: ['remmina'], paths: [] },
  ],
}

/** What is looked for on a platform. FreeRDP for Wayland needs a Wayland session, and its X11 client an X server. */
export function candidatesFor(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): readonly Candidate[] {
  if (platform === 'win32' || platform === 'darwin') return candidates[platform]
  const wayland = isSet(env.WAYLAND_DISPLAY)
  const x11 = isSet(env.DISPLAY)
  return candidates.linux.filter(({ id }) => (id === 'wlfreerdp' ? wayland : id === 'xfreerdp' ? x11 : wayland || x11))
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== ''
}

/** The client's own: always there, and used by choice alone: a program of the system's does more. */
export const viewerProgram: InstalledProgram = { id: 'viewer', name: 'this window', path: '' }

/** The one that was chosen before, if it is still there; else the best of those that are installed. */
export function choose<P extends DesktopProgram>(
  installed: readonly P[],
  remembered: DesktopProgramId | undefined,
): P | undefined {
  return installed.find(({ id }) => id === remembered) ?? installed.find(({ id }) => id !== 'viewer')
}

/** For people who have none: what to install, and where to get it. */
export function installHint(platform: NodeJS.Platform): string {
  if (platform === 'win32')
    return 'Windows has Remote Desktop Connection (mstsc.exe) built in; it is missing from this machine’s PATH.'
  if (platform === 'darwin') return 'Install Windows App from the App Store, or FreeRDP: brew install freerdp'
  return 'Install FreeRDP (Debian, Ubuntu: apt install freerdp3-x11 or freerdp2-x11; Fedora: dnf install freerdp) or Remmina, and start it from a graphical session.'
}
