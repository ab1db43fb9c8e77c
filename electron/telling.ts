import type { DeepLink } from '../shared/rpc/contract.ts'
import type { Notice, NoticeAction, NoticeEvent, WaitingRequest } from '../shared/rpc/notice.ts'

/** The parts of Electron's Notification that are used. */
export interface SystemNotification {
  on(event: 'click' | 'close', listener: () => void): unknown
  on(event: 'action', listener: (details: { actionIndex: number }) => void): unknown
  show(): void
  close(): void
}

export interface NotificationOptions {
  id: string
  title: string
  body: string
  actions?: { type: 'button'; text: string }[]
}

export interface TellingOptions {
  supported(): boolean
  notification(options: NotificationOptions): SystemNotification
  /** macOS and Windows have buttons; elsewhere a click opens. */
  buttons: boolean
  /** The person looks at the window, which says the same. */
  watched(): boolean
  /** Shows a view in the window. */
  show(link: DeepLink): void
  /** Approves at the gateway. Rejects when that takes more than a button: a step-up, or the eyes of the reviewer. */
  approve(requestId: string): Promise<void>
  /** The number on the dock or the taskbar, and the tray. */
  waiting(requests: readonly WaitingRequest[]): void
  warn(error: unknown, message: string): void
}

const labels: Readonly<Record<NoticeAction, string>> = {
  review: 'Review',
  later: 'Later',
  approve: 'Approve',
  deny: 'Deny…',
}

/** Shows what the core has to tell, by the means of the system. */
export class Telling {
  readonly #options: TellingOptions
  /** By notice id, so that it is replaced and withdrawn, and is not collected while it is on the screen. */
  readonly #shown = new Map<string, SystemNotification>()

  constructor(options: TellingOptions) {
    this.#options = options
  }

  tell(event: NoticeEvent): void {
    switch (event.type) {
      case 'show':
        this.#show(event.notice)
        return
      case 'withdraw':
        this.#withdraw(event.id)
        return
      case 'waiting':
        this.#options.waiting(event.requests)
        return
      default:
        event satisfies never
    }
  }

  #show(notice: Notice): void {
    const { supported, notification, buttons, watched } = this.#options
    this.#withdraw(notice.id)
    if (watched() || !supported()) return
    const { id, title, body, actions } = notice
    const shown = notification({
      id,
      title,
      body,
      ...(buttons && actions.length > 0
        ? { actions: actions.map((action) => ({ type: 'button' as const, text: labels[action] })) }
        : {}),
    })
    this.#shown.set(id, shown)
    shown.on('click', () => this.#act(notice, 'review'))
    shown.on('action', ({ actionIndex }) => this.#act(notice, actions[actionIndex] ?? 'review'))
    shown.on('close', () => {
      if (this.#shown.get(id) === shown) this.#shown.delete(id)
    })
    shown.show()
  }

  #withdraw(id: string): void {
    const shown = this.#shown.get(id)
    this.#shown.delete(id)
    shown?.close()
  }

  #act(notice: Notice, action: NoticeAction): void {
    const { show, approve, warn } = this.#options
    const id = notice.requestId
    switch (action) {
      case 'review':
        show({ to: 'request', id })
        return
      case 'deny':
        // A denial says why: the comment first.
        show({ to: 'request', id, focus: 'deny' })
        return
      case 'later':
        return
      case 'approve':
        approve(id).catch((error: unknown) => {
          warn(error, 'not approved from the notification; the review is opened')
          show({ to: 'request', id })
        })
        return
      default:
        action satisfies never
    }
  }
}
