import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import pg from 'pg'
import type { DemoPostgres } from '../postgres/server.ts'

export interface DemoHttp {
  url: string
  /** What the service asks of its callers; the gateway's agent adds it, people never see it. */
  bearer: string
  close(): Promise<void>
}

/** `orders-api`: a JSON API over the same data as `orders-db`. */
export async function startHttp(database: DemoPostgres, bearer: string): Promise<DemoHttp> {
  const pool = new pg.Pool({
    host: database.host,
    port: database.port,
    user: database.user,
    password: database.password,
    database: database.databases.orders,
    max: 4,
  })
  // A connection that the database closes is replaced with the next request, which says so if it can't be.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  const server = createServer((request, response) => {
    answer(pool, bearer, request)
      .catch((error: unknown) => ({ status: 500, body: { error: error instanceof Error ? error.message : 'unknown' } }))
      .then((result) => send(response, result.status, result.body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP address')
  return {
    url: `http://127.0.0.1:${address.port}`,
    bearer,
    close: async () => {
      server.close()
      server.closeAllConnections()
      await pool.end()
    },
  }
}

interface Answer {
  status: number
  body: unknown
}

async function answer(pool: pg.Pool, bearer: string, request: IncomingMessage): Promise<Answer> {
  if (request.headers.authorization !== `Bearer ${bearer}`)
    return { status: 401, body: { error: 'a bearer token is needed' } }
  if (request.method !== 'GET') return { status: 405, body: { error: 'this API only reads' } }
  const url = new URL(request.url ?? '/', 'http://localhost')
  const [resource, id] = url.pathname.split('/').filter((part) => part !== '')
  switch (resource) {
    case 'customers':
      return id === undefined
        ? list(pool, 'SELECT * FROM customers ORDER BY id LIMIT 50', [])
        : one(pool, 'SELECT * FROM customers WHERE id = $1', id)
    case 'orders':
      return id === undefined
        ? list(pool, 'SELECT * FROM orders WHERE $1::bigint IS NULL OR customer_id = $1 ORDER BY id DESC LIMIT 50', [
            url.searchParams.get('customer'),
          ])
        : one(pool, 'SELECT * FROM orders WHERE id = $1', id)
    case 'healthz':
      return { status: 200, body: { ok: true } }
    default:
      return { status: 404, body: { error: 'there are /customers, /customers/ID, /orders?customer=ID and /orders/ID' } }
  }
}

async function list(pool: pg.Pool, sql: string, values: (string | null)[]): Promise<Answer> {
  const result = await pool.query(sql, values)
  return { status: 200, body: result.rows }
}

async function one(pool: pg.Pool, sql: string, id: string): Promise<Answer> {
  if (!/^\d{1,18}$/.test(id)) return { status: 400, body: { error: 'an id is a number' } }
  const result = await pool.query(sql, [id])
  return result.rows.length === 0
    ? { status: 404, body: { error: 'no such row' } }
    : { status: 200, body: result.rows[0] }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
  response.end(`${JSON.stringify(body)}\n`)
}
