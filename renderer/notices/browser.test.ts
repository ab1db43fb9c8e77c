import { expect, test } from 'vitest'
import type { Notice } from '../../shared/rpc/notice.ts'
import { browserNotices, type NoticePage } from './browser.ts'

const notice: Notice = {
  id: 'r1',
  requestId: 'r1',
  title: 'Approval needed on orders-db',
  body: 'Production · Linus Benedict',
  actions: ['review', 'later'],
}

function page(permission: NotificationPermission, focused = false) {
  const shown: { title: string; options: NotificationOptions; closed: boolean; onclick: (() => void) | null }[] = []
  let front = 0
  class Fake {
    static permission = permission
    static async requestPermission(): Promise<NotificationPermission> {
      return 'granted'
    }
    closed = false
    onclick: (() => void) | null = null
    onclose: (() => void) | null = null
    readonly title: string
    readonly options: NotificationOptions
    constructor(title: string, options: NotificationOptions) {
      this.title = title
      this.options = options
      shown.push(this)
    }
    close(): void {
      this.closed = true
    }
  }
  const fake: NoticePage = {
    document: { title: 'Sallyport', hasFocus: () => focused },
    focus: () => {
      front += 1
    },
    Notification: Fake,
  }
  return { fake, shown, front: () => front }
}

test('a click on a notification opens the request, and nothing else', () => {
  const { fake, shown, front } = page('granted')
  const opened: string[] = []
  browserNotices(fake).tell({ type: 'show', notice }, (id) => opened.push(id))
  expect(shown[0]).toMatchObject({ title: notice.title, options: { body: notice.body, tag: 'sallyport-r1' } })
  expect(opened).toEqual([])
  shown[0]?.onclick?.()
  expect(opened).toEqual(['r1'])
  expect(front()).toBe(1)
})

test('nothing is shown to who looks at the page, or has not agreed; asking changes that', async () => {
  const looking = page('granted', true)
  browserNotices(looking.fake).tell({ type: 'show', notice }, () => {})
  expect(looking.shown).toEqual([])

  const unasked = page('default')
  const notices = browserNotices(unasked.fake)
  notices.tell({ type: 'show', notice }, () => {})
  expect(unasked.shown).toEqual([])
  await notices.ask()
  notices.tell({ type: 'show', notice }, () => {})
  expect(unasked.shown).toHaveLength(1)
})

test('what is decided elsewhere goes, and the title counts what waits', () => {
  const { fake, shown } = page('granted')
  const notices = browserNotices(fake)
  notices.tell({ type: 'show', notice }, () => {})
  notices.tell({ type: 'withdraw', id: 'r1' }, () => {})
  expect(shown[0]?.closed).toBe(true)
  const waiting = { id: 'r1', requester: 'Linus', connection: 'orders-db', environment: 'production' as const }
  notices.tell({ type: 'waiting', requests: [waiting] }, () => {})
  expect(fake.document.title).toBe('(1) Sallyport')
  notices.tell({ type: 'waiting', requests: [] }, () => {})
  expect(fake.document.title).toBe('Sallyport')
})

test('a browser without notifications still counts', () => {
  const notices = browserNotices({ document: { title: '', hasFocus: () => false }, focus: () => {} })
  expect(notices.permission.get()).toBe('none')
  notices.tell({ type: 'show', notice }, () => {})
})
