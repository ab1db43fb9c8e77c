import type { MenuItemConstructorOptions } from 'electron'
import type { DeepLink } from '../shared/rpc/contract.ts'
import type { WaitingRequest } from '../shared/rpc/notice.ts'

const listed = 8

export function waitingWords(count: number): string {
  if (count === 0) return 'Nothing waits for you'
  return count === 1 ? '1 approval waits for you' : `${count} approvals wait for you`
}

/** The tray's menu: what waits for this person, each of which opens; nothing in it decides. */
export function trayMenu(
  requests: readonly WaitingRequest[],
  act: { open(): void; show(link: DeepLink): void; quit(): void },
): MenuItemConstructorOptions[] {
  const separator: MenuItemConstructorOptions = { type: 'separator' }
  const rest = requests.length - listed
  return [
    { label: waitingWords(requests.length), enabled: false },
    ...requests.slice(0, listed).map(
      ({ id, requester, connection }): MenuItemConstructorOptions => ({
        label: `${plain(requester)} on ${connection}…`,
        click: () => act.show({ to: 'request', id }),
      }),
    ),
    ...(rest > 0 ? [{ label: `${rest} more…`, click: act.open }] : []),
    separator,
    { label: 'Open Sallyport', click: act.open },
    { label: 'Quit Sallyport', click: act.quit },
  ]
}

/** An ampersand in a label would mark a key. */
function plain(text: string): string {
  return text.replaceAll('&', '&&')
}
