import pg from 'pg'
import type { Log } from '../services.ts'

/** LISTEN on one connection of its own, opened with the first subscription and reopened when it breaks. */
export interface Listener {
  /**
   * Calls `heard` for every NOTIFY on `channel`, and once with an empty payload after a reconnect, because something
   * may have been missed. Returns what ends the subscription.
   */
  subscribe(channel: string, heard: (payload: string) => void): Promise<() => void>
  /** Tells every replica, this one included. Payloads are small: ids, not contents. */
  notify(channel: string, payload: string): Promise<void>
  close(): Promise<void>
}

const reconnectMs = 1000

export function createListener(url: string, pool: pg.Pool, log: Log): Listener {
  const channels = new Map<string, Set<(payload: string) => void>>()
  let closed = false
  let timer: NodeJS.Timeout | undefined
  let current: Promise<pg.Client> | undefined

  const tell = (channel: string, payload: string) => {
    for (const heard of channels.get(channel) ?? []) heard(payload)
  }

  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url, application_name: 'sallyport listener', keepAlive: true })
    client.on('notification', ({ channel, payload }) => tell(channel, payload ?? ''))
    client.on('error', (error) => log.warn({ err: error }, 'the store closed the listening connection'))
    client.on('end', () => {
      current = undefined
      reconnectSoon()
    })
    await client.connect()
    for (const channel of channels.keys()) await client.query(`listen ${client.escapeIdentifier(channel)}`)
    return client
  }

  const connected = (): Promise<pg.Client> => {
    if (current === undefined) {
      current = connect()
      current.catch(() => {
        current = undefined
      })
    }
    return current
  }

  const reconnectSoon = () => {
    if (closed || timer !== undefined || channels.size === 0) return
    timer = setTimeout(async () => {
      timer = undefined
      try {
        await connected()
        for (const channel of channels.keys()) tell(channel, '')
      } catch (error) {
        log.warn({ err: error }, 'the store does not accept the listening connection; trying again')
        reconnectSoon()
      }
    }, reconnectMs)
    timer.unref()
  }

  return {
    async subscribe(channel, heard) {
      let listeners = channels.get(channel)
      const first = listeners === undefined
      if (listeners === undefined) {
        listeners = new Set()
        channels.set(channel, listeners)
      }
      listeners.add(heard)
      const client = await connected()
      if (first) await client.query(`listen ${client.escapeIdentifier(channel)}`)
      return () => {
        listeners.delete(heard)
      }
    },
    async notify(channel, payload) {
      await pool.query('select pg_notify($1, $2)', [channel, payload])
    },
    async close() {
      closed = true
      clearTimeout(timer)
      channels.clear()
      if (current === undefined) return
      const [outcome] = await Promise.allSettled([current])
      if (outcome.status === 'fulfilled') await outcome.value.end()
    },
  }
}
