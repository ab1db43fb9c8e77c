import type { TerminalEvent } from '../../../shared/rpc/contract.ts'
import * as data from './fixtures.ts'
import { Cell } from './state.ts'

export interface Shell {
  events(signal?: AbortSignal): AsyncGenerator<TerminalEvent, void, void>
  write(text: string): void
  end(): void
}

/** A shell that has already shown every kind of decision, and echoes what is typed. */
export function openShell(): Shell {
  const queue: TerminalEvent[] = script()
  const wake = new Cell(0)
  let ended = false
  const push = (event: TerminalEvent) => {
    queue.push(event)
    wake.set(wake.get() + 1)
  }
  return {
    async *events() {
      for (;;) {
        const changed = wake.changed()
        const event = queue.shift()
        if (event !== undefined) yield event
        else if (ended) return
        else await changed
      }
    },
    write: (text) => push({ type: 'data', text: text === '\r' ? `\r\n${data.prompt}` : text }),
    end: () => {
      ended = true
      push({ type: 'exit', code: 0 })
    },
  }
}

function script(): TerminalEvent[] {
  const text = (line: string): TerminalEvent => ({ type: 'data', text: line })
  const { pii, unbounded, write } = data.policies
  const mask = { source: '', label: 'email', position: -1, dataClass: 'email', policy: pii, requestable: false }
  const annotation = (value: Extract<TerminalEvent, { type: 'annotation' }>['annotation']): TerminalEvent => ({
    type: 'annotation',
    at: data.at(0),
    annotation: value,
  })
  return [
    { type: 'ready', sessionId: 'ses_8f2c41aa' },
    text('\u001b[90mConnected through gw-eu-1. This session is recorded.\u001b[0m\r\n\r\n'),
    text(`${data.prompt}journalctl -u checkout-api -n 3 -o cat\r\n`),
    text('14:31:55 \u001b[1mERROR\u001b[0m retry budget exhausted order=884213 user=l•••@•••.com\r\n'),
    text('14:32:02 \u001b[33mWARN\u001b[0m  card •••• •••• •••• 4417 charged twice batch=rt-20311\r\n'),
    annotation({ kind: 'masked', columns: [mask, { ...mask, label: 'card', dataClass: 'card' }], count: 2 }),
    text(`${data.prompt}sudo iptables -F\r\n`),
    annotation({
      kind: 'blocked',
      policy: unbounded,
      message: 'This would drop every firewall rule on a production host.',
      hint: 'Remove single rules with iptables -D.',
      command: 'sudo iptables -F',
      requestable: true,
    }),
    text(`${data.prompt}sudo systemctl status checkout-api -n 0\r\n`),
    annotation({
      kind: 'granted',
      policy: write,
      grantId: 'g',
      endsAt: data.at(26 * 60_000),
      approvedBy: ['grace'],
      command: 'systemctl status',
    }),
    text('     Active: \u001b[1mfailed\u001b[0m (Result: exit-code) since Tue 14:32:09 CEST; 26min ago\r\n'),
    text(`${data.prompt}sudo systemctl restart checkout-api\r\n`),
    annotation({
      kind: 'held',
      policy: write,
      requestId: 'req-3',
      approval: data.approval,
      expiresAt: data.at(14 * 60_000),
      command: 'systemctl restart checkout-api',
    }),
  ]
}
