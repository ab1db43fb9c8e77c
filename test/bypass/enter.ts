import type { Door } from '../../agent/inspect/postgres/testing/door.ts'
import { RawPostgres } from '../support/raw-postgres.ts'

/** A client at the door that keeps every byte it gets. */
export function enter({ port }: Door, parameters: Readonly<Record<string, string>> = {}): Promise<RawPostgres> {
  return RawPostgres.open({ host: '127.0.0.1', port, user: 'ada', database: 'orders-db', parameters })
}

/** All the bytes that come for texts, one after the other. */
export async function bytesOf(client: RawPostgres, texts: readonly string[]): Promise<string> {
  let bytes = ''
  for (const text of texts) bytes += (await client.query(text)).bytes.toString('latin1')
  return bytes
}
