import { createNotificationsStore, type NotificationsStore, notifications } from '@mantine/notifications'
import type { ReactNode } from 'react'

/** The toasts, bottom right. They repeat what is said in place, and never replace it. */
export interface Notices {
  store: NotificationsStore
  /** Shows a toast, or replaces the one with the same id. `stay`: until it is closed. */
  show(notice: { id: string; content: ReactNode; stay?: boolean }): void
  hide(id: string): void
}

export function createNotices(): Notices {
  const store = createNotificationsStore()
  return {
    store,
    show: ({ id, content, stay = false }) => {
      notifications.hide(id, store)
      notifications.show({ id, message: '', renderNotification: () => content, autoClose: stay ? false : 8_000 }, store)
    },
    hide: (id) => {
      notifications.hide(id, store)
    },
  }
}
