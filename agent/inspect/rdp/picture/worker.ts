import { parentPort } from 'node:worker_threads'
import { Painter, type PainterOrder } from './painter.ts'

/** The thread that draws: one for all sessions of an agent, so that a session costs no thread of its own. */
const port = parentPort
if (port === null) throw new Error('This file is a worker.')
const painters = new Map<number, Painter>()

port.on('message', (order: PainterOrder) => {
  const { session } = order
  let painter = painters.get(session)
  if (painter === undefined) {
    painter = new Painter(session, (answer) => port.postMessage(answer))
    painters.set(session, painter)
  }
  if (order.kind === 'close') painters.delete(session)
  painter.order(order)
})
