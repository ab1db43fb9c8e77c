import type { Annotation } from '../../shared/annotation.ts'
import type { Connection } from '../../shared/api/models.ts'
import type { Decision } from '../../shared/decision.ts'
import type { DesktopState } from '../../shared/rpc/desktop.ts'
import type { IconName } from '../decisions/icon.tsx'

/** One way over the boundary between the person's machine and the desktop. */
export interface Crossing {
  key: string
  action: string
  direction?: 'in' | 'out'
  name: string
  icon: IconName
  /** What it means for the person. */
  can: string
  decision: Decision
  /** What the gateway refused on this way, newest last. */
  refused: readonly { id: number; at: string; annotation: Extract<Annotation, { kind: 'blocked' }> }[]
}

interface Kind {
  action: string
  direction?: 'in' | 'out'
  name: string
  icon: IconName
  allowed: string
  refused: string
}

const kinds: readonly Kind[] = [
  {
    action: 'rdp:clipboard',
    direction: 'in',
    name: 'Clipboard, to desktop',
    icon: 'clipboard',
    allowed: 'Paste from this machine',
    refused: 'Nothing is pasted into the desktop',
  },
  {
    action: 'rdp:clipboard',
    direction: 'out',
    name: 'Clipboard, from desktop',
    icon: 'clipboard',
    allowed: 'Copy to this machine',
    refused: 'Nothing leaves the desktop',
  },
  {
    action: 'rdp:drive',
    name: 'Drives and folders',
    icon: 'drive',
    allowed: 'Folders you share are there',
    refused: 'No local folder is shared',
  },
  {
    action: 'rdp:printer',
    name: 'Printers',
    icon: 'printer',
    allowed: 'Print on this machine',
    refused: 'Not shared',
  },
  { action: 'rdp:audio', name: 'Audio', icon: 'volume', allowed: 'Sound and microphone', refused: 'No sound' },
  { action: 'rdp:usb', name: 'USB devices', icon: 'card', allowed: 'Devices you share', refused: 'Not shared' },
]

/** What policy says of each way, as the gateway lists it, with what it refused in this session. */
export function crossingsOf(actions: Connection['actions'], said: DesktopState['said']): Crossing[] {
  return kinds.flatMap(({ action, direction, name, icon, allowed, refused }): Crossing[] => {
    const found = actions.find((a) => a.action === action && (a.direction ?? direction) === direction)
    if (found === undefined) return []
    const { decision } = found
    const key = direction === undefined ? action : `${action} ${direction}`
    return [
      {
        key,
        action,
        ...(direction === undefined ? {} : { direction }),
        name,
        icon,
        can: decision.verdict === 'allow' ? allowed : decision.verdict === 'hold' ? 'Once it is approved' : refused,
        decision,
        refused: said.flatMap(({ id, at, annotation }) =>
          annotation.kind === 'blocked' && isAbout(annotation.command, key, action) ? [{ id, at, annotation }] : [],
        ),
      },
    ]
  })
}

/** `rdp:clipboard out` is about that way; `rdp:clipboard` alone about the first that has its name. */
function isAbout(command: string | undefined, key: string, action: string): boolean {
  return command === key || (command === action && (key === action || key.endsWith(' in')))
}
