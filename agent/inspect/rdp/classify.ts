import type { Action } from '../../../shared/actions.ts'
import type { DecisionRequest } from '../port.ts'
import type { Channel } from './gcc.ts'

/** What a static virtual channel is for, as policy knows it. */
export type ChannelPurpose =
  | { kind: 'clipboard' }
  /** Drives and printers, told apart when they are announced. */
  | { kind: 'devices' }
  | { kind: 'audio' }
  /** Dynamic channels: decided one by one, when the target opens them. */
  | { kind: 'dynamic' }
  /** Anything else (remote programs, a vendor's own): its content is not known, so it is not passed. */
  | { kind: 'unknown' }

export function purposeOf({ name }: Channel): ChannelPurpose {
  switch (name) {
    case 'cliprdr':
      return { kind: 'clipboard' }
    case 'rdpdr':
      return { kind: 'devices' }
    case 'rdpsnd':
      return { kind: 'audio' }
    case 'drdynvc':
      return { kind: 'dynamic' }
    default:
      return { kind: 'unknown' }
  }
}

/** What a dynamic channel is for; each needs its action, but for the size of the desktop, which who may open it may change. */
export type DynamicPurpose = { kind: 'display' } | { kind: 'device'; action: 'rdp:audio' | 'rdp:usb' }

/**
 * Undefined: nobody may have it. Pictures (`Microsoft::Windows::RDS::Graphics` and video) can't be recorded, touch is not
 * counted, and clipboard and drives are looked at on their static channels only.
 */
export function dynamicPurposeOf(name: string): DynamicPurpose | undefined {
  if (/^RDCamera_Device_/.test(name)) return { kind: 'device', action: 'rdp:usb' }
  switch (name) {
    case 'Microsoft::Windows::RDS::DisplayControl':
      return { kind: 'display' }
    case 'AUDIO_PLAYBACK_DVC':
    case 'AUDIO_PLAYBACK_LOSSY_DVC':
    case 'AUDIO_INPUT':
      return { kind: 'device', action: 'rdp:audio' }
    case 'URBDRC':
    case 'PNPDR':
      return { kind: 'device', action: 'rdp:usb' }
    default:
      return undefined
  }
}

/** What is asked when a client wants the channel; it is passed when one of them is allowed. */
export function requestsOf(purpose: ChannelPurpose): readonly DecisionRequest[] {
  switch (purpose.kind) {
    case 'clipboard':
      return [
        { action: 'rdp:clipboard', direction: 'in' },
        { action: 'rdp:clipboard', direction: 'out' },
      ]
    case 'devices':
      return [{ action: 'rdp:drive' }, { action: 'rdp:printer' }]
    case 'audio':
      return [{ action: 'rdp:audio' }]
    case 'dynamic':
    case 'unknown':
      return []
    default:
      return purpose satisfies never
  }
}

/** A request in words, for the record. */
export function textOf({ action, direction }: Pick<DecisionRequest, 'action' | 'direction'>): string {
  if (direction === 'in') return 'Clipboard to the desktop'
  if (direction === 'out') return 'Clipboard from the desktop'
  return words.get(action) ?? action
}

const words = new Map<Action, string>([
  ['rdp:connect', 'Desktop'],
  ['rdp:drive', 'Drives of this computer'],
  ['rdp:printer', 'Printers of this computer'],
  ['rdp:audio', 'Sound'],
  ['rdp:usb', 'USB devices and cameras of this computer'],
])

/** RDPDR device types (MS-RDPEFS 2.2.1.3); ports and smart cards have no action, so nobody may have them. */
export function deviceAction(type: number): Action | undefined {
  if (type === 0x8) return 'rdp:drive'
  if (type === 0x4) return 'rdp:printer'
  return undefined
}

/** What crosses the clipboard, by the number of its format; registered formats (from 0xC000) mean nothing to others. */
export function formatOf(id: number): 'text' | 'image' | 'other' {
  if (id === 1 || id === 7 || id === 13) return 'text'
  if (id === 2 || id === 8 || id === 17) return 'image'
  return 'other'
}
