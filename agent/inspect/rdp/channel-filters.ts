import type { RecordingEvent } from '../../../shared/recording.ts'
import type { InspectorPort } from '../port.ts'
import type { Gate } from './admit.ts'
import { type ChannelFilter, FilteredChannel, type From, type Send } from './channel.ts'
import { purposeOf } from './classify.ts'
import { ClipboardFilter, type Direction } from './clipboard.ts'
import { DeviceFilter } from './devices.ts'
import { DynamicFilter } from './dynamic.ts'
import type { Channel } from './gcc.ts'

/** What the filters of a session's channels work with. */
export interface Filtering {
  gate: Gate
  port: InspectorPort
  record(event: RecordingEvent): void
  /** Sends a chunk on a channel with the next of what goes there. */
  write(to: From, channel: number, chunk: readonly Buffer[]): void
  /** Sends what was written now: nothing else may come. */
  sent(to: From): void
  isOver(): boolean
  end(reason: string): void
}

/** How often a refused clipboard is told, at most. */
const refusalMs = 1_000

/** The filter of a channel that the target knows of. Undefined: nobody looks at it, so nothing may cross it. */
export function channelFilter(channel: Channel & { id: number }, filtering: Filtering): FilteredChannel | undefined {
  const { gate } = filtering
  const filtered = (make: (send: Send) => ChannelFilter): FilteredChannel =>
    new FilteredChannel(make, (to, chunk) => filtering.write(to, channel.id, chunk))
  const purpose = purposeOf(channel)
  switch (purpose.kind) {
    case 'clipboard':
      return filtered((send) => clipboard(send, filtering))
    case 'devices':
      return filtered((send) => new DeviceFilter((action) => gate.allows({ action }), send))
    case 'audio':
      return filtered(() => ({ pass: () => gate.allows({ action: 'rdp:audio' }) }))
    case 'dynamic':
      return filtered((send) => dynamic(send, filtering))
    case 'unknown':
      return undefined
    default:
      return purpose satisfies never
  }
}

function dynamic(send: Send, { gate, end, isOver, sent }: Filtering): DynamicFilter {
  // Decided while nothing else may be on its way there.
  const now: Send = (to, message) => {
    if (isOver()) return
    send(to, message)
    sent(to)
  }
  return new DynamicFilter(
    {
      opens: async (purpose) => purpose.kind === 'display' || gate.ask({ action: purpose.action }),
      allowed: (purpose) => purpose.kind === 'display' || gate.allows({ action: purpose.action }),
      failed: (error) => end(String(error)),
    },
    now,
  )
}

function clipboard(send: Send, { gate, port, record, end }: Filtering): ClipboardFilter {
  const refusedAt: Record<Direction, number> = { in: Number.NEGATIVE_INFINITY, out: Number.NEGATIVE_INFINITY }
  return new ClipboardFilter(
    {
      allowed: (direction) => gate.allows({ action: 'rdp:clipboard', direction }),
      filesAllowed: () => gate.allows({ action: 'rdp:drive' }),
      keepsText: () => gate.allows({ action: 'rdp:clipboard-content' }),
      crossed: ({ text, ...transfer }) =>
        record({
          type: 'clipboard',
          at: port.elapsed(),
          ...transfer,
          ...(text === undefined ? {} : { text: port.redact(text) }),
        }),
      refused: (direction) => {
        const now = performance.now()
        if (now - refusedAt[direction] < refusalMs) return
        refusedAt[direction] = now
        gate.refuse({ action: 'rdp:clipboard', direction }, (error) => end(String(error)))
      },
    },
    send,
  )
}
