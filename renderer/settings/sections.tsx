import type { ReactNode } from 'react'
import type { IconName } from '../decisions/icon.tsx'
import { useNavigation } from '../frame/desk.tsx'
import { ShortcutTable } from '../frame/shortcut-table.tsx'
import { Appearance } from './appearance.tsx'
import { DiagnosticsSection } from './diagnostics.tsx'
import { Gateway } from './gateway.tsx'
import { NativeTools } from './native-tools.tsx'
import { NotificationSettings } from './notifications.tsx'
import { Updates } from './updates.tsx'

/** One part of the settings. `words`: what it is found by, besides its name. */
export interface Section {
  id: string
  name: string
  icon: IconName
  side: 'left' | 'right'
  words: string
  Content(): ReactNode
}

export const sections: readonly Section[] = [
  {
    id: 'gateway',
    name: 'Gateway',
    icon: 'shield-check',
    side: 'left',
    words: 'address host connected latency switch signed in as sign out groups credentials stops answering',
    Content: Gateway,
  },
  {
    id: 'appearance',
    name: 'Appearance',
    icon: 'sun',
    side: 'left',
    words: 'theme dark light system high contrast zoom size font editor code production frame reduce motion animation',
    Content: Appearance,
  },
  {
    id: 'native-tools',
    name: 'Native tools',
    icon: 'plug',
    side: 'right',
    words: 'ports endpoints local address psql dbeaver datagrip jdbc ssh config kubeconfig open at start command copy',
    Content: NativeTools,
  },
  {
    id: 'shortcuts',
    name: 'Shortcuts',
    icon: 'keyboard',
    side: 'right',
    words: 'keys keyboard rebind change binding',
    Content: Shortcuts,
  },
  {
    id: 'notifications',
    name: 'Notifications',
    icon: 'bell',
    side: 'left',
    words: 'system desktop browser toast approval waiting turn on',
    Content: NotificationSettings,
  },
  {
    id: 'updates',
    name: 'Updates',
    icon: 'package',
    side: 'right',
    words: 'version new release install check signed',
    Content: Updates,
  },
  {
    id: 'diagnostics',
    name: 'Diagnostics',
    icon: 'pulse',
    side: 'left',
    words: 'support bundle log reachable sign-in local ports version',
    Content: DiagnosticsSection,
  },
]

/** Every word is in the name or among the words of a section. */
export function findSections(query: string): readonly Section[] {
  const words = query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  return sections.filter((section) => {
    const text = `${section.name} ${section.words}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}

function Shortcuts() {
  const go = useNavigation()
  return (
    <>
      <p className="t2 stg__p">
        Press the keys beside a name to change them. Backspace takes them away, Esc leaves them.{' '}
        <button type="button" className="linkish" onClick={() => go.shortcuts(true)}>
          All actions
        </button>
      </p>
      <div className="card">
        <ShortcutTable only="with-keys" />
      </div>
    </>
  )
}
