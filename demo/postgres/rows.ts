import { type Random, seeded } from '../random.ts'
import { customer, moment, time, timeOf } from './values.ts'

/** The demo's tables as lines of PostgreSQL's COPY text format. Nothing in them needs escaping: no tab, newline or backslash. */
export const sizes = { customers: 50_000, orders: 200_000, auditLog: 2_000 } as const

const statuses = ['captured', 'captured', 'captured', 'shipped', 'shipped', 'pending', 'refunded', 'cancelled'] as const
const methods = ['card', 'card', 'card', 'sepa', 'paypal', 'invoice'] as const
const actors = ['ada', 'grace', 'linus', 'deploy-bot', 'billing-job'] as const
const events = ['login', 'order.refund', 'order.cancel', 'payment.capture', 'report.export', 'price.update'] as const

export function* customers(seed: number): Generator<string> {
  const random = seeded(seed)
  for (let id = 1; id <= sizes.customers; id += 1) {
    const c = customer(id, random)
    yield `${id}\t${c.name}\t${c.email}\t${c.phone}\t${c.ssn}\t${c.cardNumber}\t${c.country}\t${c.createdAt}\n`
  }
}

interface Order {
  id: number
  total: string
  placedAt: number
  paid: boolean
}

function order(id: number, random: Random): Order & { line: string } {
  const status = random.pick(statuses)
  const total = (4 + random.below(60_000) / 100).toFixed(2)
  const placedAt = moment(random, 720)
  const line = `${id}\t${1 + random.below(sizes.customers)}\t${status}\t${total}\t${timeOf(placedAt)}\n`
  return { id, total, placedAt, paid: status !== 'pending' && status !== 'cancelled', line }
}

export function* orders(seed: number): Generator<string> {
  const random = seeded(seed)
  for (let id = 1; id <= sizes.orders; id += 1) yield order(id, random).line
}

/** One payment for each order that was paid; made from the same seed, so that they agree. */
export function* payments(seed: number): Generator<string> {
  const orderRandom = seeded(seed)
  const random = seeded(seed + 1)
  let id = 0
  for (let orderId = 1; orderId <= sizes.orders; orderId += 1) {
    const made = order(orderId, orderRandom)
    if (!made.paid) continue
    id += 1
    const paidAt = timeOf(made.placedAt + random.below(3600))
    yield `${id}\t${orderId}\t${random.pick(methods)}\t${random.digits(4)}\t${made.total}\t${paidAt}\n`
  }
}

export function* auditLog(seed: number): Generator<string> {
  const random = seeded(seed)
  for (let id = 1; id <= sizes.auditLog; id += 1)
    yield `${id}\t${random.pick(actors)}\t${random.pick(events)}\t${time(random, 90)}\n`
}
