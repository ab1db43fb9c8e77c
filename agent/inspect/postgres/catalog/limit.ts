import type pg from 'pg'

/** Of one answer, with what its rows cost here. Some hundred thousand tables with their columns fit. */
const longestAnswer = 128 << 20
/** What a row, and a value of it, take beside their bytes. */
const rowCost = 32
const valueCost = 16

/**
 * Hangs up on a target that answers one question of the catalog with more than can be meant: `pg` puts an answer together in memory,
 * however long it is. Counts from the first byte on, before anybody has signed in.
 */
export function limitAnswers(client: pg.Client, longest = longestAnswer): void {
  const { connection } = client
  let taken = 0
  const take = (bytes: number): void => {
    taken += bytes
    if (taken <= longest) return
    const words = `it answers a question about its catalog with more than ${longest >> 20} MiB`
    connection.stream.destroy(new Error(words))
  }
  const count = (): void => void connection.stream.on('data', (chunk: Buffer) => take(chunk.length))
  connection.once('connect', count)
  connection.once('sslconnect', count)
  connection.on('dataRow', ({ fields }: { fields: readonly unknown[] }) => take(rowCost + valueCost * fields.length))
  connection.on('readyForQuery', () => {
    taken = 0
  })
}
