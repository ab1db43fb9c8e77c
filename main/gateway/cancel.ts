import { createHash } from 'node:crypto'
import { type ApiClient, asked } from './client.ts'

/** What a PostgreSQL session gave its client to cancel with. */
export interface CancelKey {
  processId: number
  secret: Uint8Array
}

/**
 * Cancels what a session runs. By the API and not by a CancelRequest in a tunnel: that would be a session more, in everybody's lists, and
 * refused where no more may be open. The secret itself is not sent.
 */
export async function cancelStatement(
  gateway: { api: ApiClient },
  connection: string,
  { processId, secret }: CancelKey,
): Promise<void> {
  const digest = createHash('sha256').update(secret).digest('base64')
  await asked(gateway.api.sessions.cancel({ connection, processId, digest }))
}
