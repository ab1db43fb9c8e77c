import net from 'node:net'

/**
 * Loaded into a client core before it starts: SIGUSR2 cuts its way to the gateway (the port in CUT_PORT), as when a cable is pulled, and
 * the next one mends it. What is open breaks; what is tried is refused. SIGALRM: its clock is an hour ahead, which
 * no token outlives; the next one puts it right.
 */
const port = Number(process.env.CUT_PORT)
const open = new Set()
let cut = false

const connect = net.Socket.prototype.connect
net.Socket.prototype.connect = function (...args) {
  const [first] = args
  const options = Array.isArray(first) ? first[0] : first
  const wanted = typeof options === 'object' && options !== null ? options.port : options
  if (Number(wanted) !== port) return connect.apply(this, args)
  if (cut) {
    process.nextTick(() => this.destroy(broken('ECONNREFUSED')))
    return this
  }
  open.add(this)
  this.once('close', () => open.delete(this))
  return connect.apply(this, args)
}

process.on('SIGUSR2', () => {
  cut = !cut
  if (cut) for (const socket of open) socket.destroy(broken('ECONNRESET'))
})

const now = Date.now
process.on('SIGALRM', () => {
  Date.now = Date.now === now ? () => now() + 60 * 60_000 : now
})

function broken(code) {
  return Object.assign(new Error(`the way to the gateway is cut (${code})`), { code })
}
