import type { NoticeEvent } from '../../shared/rpc/notice.ts'
import { createStore, type Store } from '../rpc/store.ts'

/** Whether the browser shows notifications of this page. `none`: it can't, or another part of the app shows them. */
export type Permission = 'granted' | 'denied' | 'default' | 'none'

/** System notifications of the page, where no shell shows them. */
export interface BrowserNotices {
  permission: Pick<Store<Permission>, 'get' | 'subscribe'>
  /** Asks the person; browsers want a click for that. */
  ask(): Promise<void>
  tell(event: NoticeEvent, open: (requestId: string) => void): void
}

/** The parts of the page's window that are used. */
export interface NoticePage {
  readonly document: Pick<Document, 'hasFocus' | 'title'>
  focus(): void
  readonly Notification?: {
    readonly permission: NotificationPermission
    requestPermission(): Promise<NotificationPermission>
    new (title: string, options: NotificationOptions): Pick<Notification, 'close' | 'onclick' | 'onclose'>
  }
}

const title = 'Sallyport'

/** Notifications by the browser, and the count of what waits in the page's title. */
export function browserNotices(page: NoticePage): BrowserNotices {
  const { Notification: System } = page
  const permission = createStore<Permission>(System?.permission ?? 'none')
  const shown = new Map<string, { close(): void }>()
  const withdraw = (id: string) => {
    const before = shown.get(id)
    shown.delete(id)
    before?.close()
  }
  return {
    permission,
    ask: async () => {
      if (System !== undefined) permission.set(await System.requestPermission())
    },
    tell: (event, open) => {
      switch (event.type) {
        case 'waiting':
          page.document.title = event.requests.length === 0 ? title : `(${event.requests.length}) ${title}`
          return
        case 'withdraw':
          withdraw(event.id)
          return
        case 'show': {
          const { id, title: head, body, requestId } = event.notice
          withdraw(id)
          // Who looks at the page sees it there.
          if (System === undefined || permission.get() !== 'granted' || page.document.hasFocus()) return
          // The tag makes several tabs of one client show it once.
          const made = new System(head, { body, tag: `sallyport-${id}` })
          shown.set(id, made)
          made.onclick = () => {
            page.focus()
            made.close()
            open(requestId)
          }
          made.onclose = () => {
            if (shown.get(id) === made) shown.delete(id)
          }
          return
        }
        default:
          event satisfies never
      }
    },
  }
}

/** Where the shell shows notifications by itself. */
export const shellNotices: BrowserNotices = {
  permission: createStore<Permission>('none'),
  ask: async () => undefined,
  tell: () => undefined,
}
