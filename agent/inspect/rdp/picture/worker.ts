import { parentPort } from 'node:worker_threads'
import { type PainterOrder, painters } from './painter.ts'

/** The thread that draws: one for all sessions of an agent, so that a session costs no thread of its own. */
const port = parentPort
if (port === null) throw new Error('This file is a worker.')
const order = painters((answer) => port.postMessage(answer))
port.on('message', (message: PainterOrder) => order(message))
