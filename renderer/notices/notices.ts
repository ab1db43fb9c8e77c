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
      // An alert would be read out whole with every second of its clock; what is new is said in the live region.
      const shown = { id, message: '', role: 'presentation', renderNotification: () => content }
      notifications.show({ ...shown, autoClose: stay ? false : 8_000 }, store)
    },
    hide: (id) => {
      notifications.hide(id, store)
    },
  }
}
