import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import type { DeepLink } from '../shared/rpc/contract.ts'
import type { Notice, NoticeEvent, WaitingRequest } from '../shared/rpc/notice.ts'
import { type NotificationOptions, type SystemNotification, Telling } from './telling.ts'
import { trayMenu, waitingWords } from './tray.ts'

class FakeNotification extends EventEmitter implements SystemNotification {
  readonly options: NotificationOptions
  state: 'made' | 'shown' | 'closed' = 'made'
  constructor(options: NotificationOptions) {
    super()
    this.options = options
  }
  show(): void {
    this.state = 'shown'
  }
  close(): void {
    this.state = 'closed'
    this.emit('close')
  }
}

const statement: Notice = {
  id: 'r1',
  requestId: 'r1',
  title: 'Approval needed on orders-db',
  body: 'Production · Linus Benedict',
  actions: ['review', 'later'],
}
const access: Notice = {
  ...statement,
  body: `${statement.body} · write for 30 min`,
  actions: ['approve', 'deny', 'review'],
}
const waiting = (id: string): WaitingRequest => ({
  id,
  requester: 'Linus & Ada',
  connection: 'orders-db',
  environment: 'production',
})

function start(
  change: { buttons?: boolean; watched?: boolean; supported?: boolean; approve?: () => Promise<void> } = {},
) {
  const made: FakeNotification[] = []
  const links: DeepLink[] = []
  const approved: string[] = []
  const warnings: string[] = []
  const counts: number[] = []
  const telling = new Telling({
    supported: () => change.supported ?? true,
    notification: (options) => {
      const notification = new FakeNotification(options)
      made.push(notification)
      return notification
    },
    buttons: change.buttons ?? true,
    watched: () => change.watched ?? false,
    show: (link) => void links.push(link),
    approve: async (id) => {
      approved.push(id)
      await change.approve?.()
    },
    waiting: (requests) => void counts.push(requests.length),
    warn: (_error, message) => void warnings.push(message),
  })
  const tell = (event: NoticeEvent) => telling.tell(event)
  return { tell, made, links, approved, warnings, counts }
}

test('buttons where the system has them; a click elsewhere opens the review and approves nothing', () => {
  const mac = start()
  mac.tell({ type: 'show', notice: access })
  expect(mac.made[0]?.options.actions?.map((action) => action.text)).toEqual(['Approve', 'Deny…', 'Review'])

  const linux = start({ buttons: false })
  linux.tell({ type: 'show', notice: access })
  expect(linux.made[0]?.options.actions).toBeUndefined()
  linux.made[0]?.emit('click')
  expect(linux.links).toEqual([{ to: 'request', id: 'r1' }])
  expect(linux.approved).toEqual([])
})

test('a statement is reviewed or left for later, never approved from the notification', () => {
  const { tell, made, links, approved } = start()
  tell({ type: 'show', notice: statement })
  for (const actionIndex of [0, 1, 7]) made[0]?.emit('action', { actionIndex })
  expect(made[0]?.options.actions?.map((action) => action.text)).toEqual(['Review', 'Later'])
  expect(links).toEqual([
    { to: 'request', id: 'r1' },
    { to: 'request', id: 'r1' },
  ])
  expect(approved).toEqual([])
})

test('access for a time can be approved; a denial opens the review at the comment', () => {
  const { tell, made, links, approved } = start()
  tell({ type: 'show', notice: access })
  made[0]?.emit('action', { actionIndex: 0 })
  expect(approved).toEqual(['r1'])
  expect(links).toEqual([])
  made[0]?.emit('action', { actionIndex: 1 })
  expect(links).toEqual([{ to: 'request', id: 'r1', focus: 'deny' }])
})

test('an approval that takes more than a button opens the review', async () => {
  const { tell, made, links, warnings } = start({ approve: () => Promise.reject(new Error('sign in again first')) })
  tell({ type: 'show', notice: access })
  made[0]?.emit('action', { actionIndex: 0 })
  await new Promise((done) => setImmediate(done))
  expect(links).toEqual([{ to: 'request', id: 'r1' }])
  expect(warnings).toHaveLength(1)
})

test('nothing is shown to who looks at the window, or where there is no way to', () => {
  for (const change of [{ watched: true }, { supported: false }]) {
    const { tell, made } = start(change)
    tell({ type: 'show', notice: statement })
    expect(made).toEqual([])
  }
})

test('a later notice replaces the one before, and what is decided is withdrawn', () => {
  const { tell, made } = start()
  tell({ type: 'show', notice: statement })
  tell({ type: 'show', notice: { ...statement, title: 'Approved by grace', actions: [] } })
  expect(made.map((notification) => notification.state)).toEqual(['closed', 'shown'])
  tell({ type: 'withdraw', id: 'r1' })
  tell({ type: 'withdraw', id: 'unknown' })
  expect(made.map((notification) => notification.state)).toEqual(['closed', 'closed'])
})

test('what waits goes to the dock and the tray', () => {
  const { tell, counts } = start()
  tell({ type: 'waiting', requests: [waiting('r1'), waiting('r2')] })
  tell({ type: 'waiting', requests: [] })
  expect(counts).toEqual([2, 0])
  expect([0, 1, 2].map(waitingWords)).toEqual([
    'Nothing waits for you',
    '1 approval waits for you',
    '2 approvals wait for you',
  ])
})

test('the tray lists what waits, and opens it', () => {
  const links: DeepLink[] = []
  let opened = 0
  const requests = Array.from({ length: 10 }, (_, i) => waiting(`r${i}`))
  const menu = trayMenu(requests, {
    open: () => {
      opened += 1
    },
    show: (link) => void links.push(link),
    quit: () => {},
  })
  expect(menu.map((item) => item.label ?? '–').slice(0, 2)).toEqual([
    '10 approvals wait for you',
    'Linus && Ada on orders-db…',
  ])
  expect(menu.map((item) => item.label)).toContain('2 more…')
  const press = (at: number) => Reflect.apply(menu[at]?.click ?? (() => {}), undefined, [])
  press(1)
  press(9)
  expect(links).toEqual([{ to: 'request', id: 'r0' }])
  expect(opened).toBe(1)
})
