import { createHash, type KeyObject, sign, verify } from 'node:crypto'

/**
 * The audit chain: each record carries the hash of the one before it, and an Ed25519 signature over its own hash.
 * Hashed is the canonical JSON (keys in order, no spaces) of all that the record says, `detail` as the exact text stored.
 */
export interface ChainedRecord {
  /** From 1, without gaps. */
  seq: number
  /** ISO 8601 in UTC, milliseconds. */
  at: string
  actor: string
  action: string
  subject: string
  /** Canonical JSON. */
  detail: string
  previous: string
  hash: string
  /** Base64. */
  signature: string
}

export const chainStart = '0'.repeat(64)

/** JSON with keys in UTF-16 order and no spaces (RFC 8785 for what JSON.stringify writes). */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

type Content = Omit<ChainedRecord, 'hash' | 'signature'>

export function hashRecord(record: Content): string {
  const { seq, at, actor, action, subject, detail, previous } = record
  return createHash('sha256').update(canonical({ seq, at, actor, action, subject, detail, previous })).digest('hex')
}

export function chainRecord(record: Content, key: KeyObject): ChainedRecord {
  const hash = hashRecord(record)
  return { ...record, hash, signature: sign(null, Buffer.from(hash, 'hex'), key).toString('base64') }
}

export function isSigned(hash: string, signature: string, key: KeyObject): boolean {
  return verify(null, Buffer.from(hash, 'hex'), key, Buffer.from(signature, 'base64'))
}

/** Where a check stands: the record that the next one must follow. */
export interface ChainPosition {
  seq: number
  hash: string
}

/**
 * Checks records, in order of `seq`, that must follow `position`. Each problem names a record and what is wrong with it.
 * Goes on after a problem as if the record were right, so that one change is told once.
 */
export function checkChain(
  records: readonly ChainedRecord[],
  position: ChainPosition,
  key: KeyObject,
): { problems: string[]; position: ChainPosition } {
  const problems: string[] = []
  const byHash = new Map(records.map((record) => [record.hash, record.seq]))
  let { seq, hash } = position
  for (const record of records) {
    const gap = record.seq - seq - 1
    if (gap > 0)
      problems.push(gap === 1 ? `record ${seq + 1}: missing` : `records ${seq + 1} to ${record.seq - 1}: missing`)
    const follows = byHash.get(record.previous)
    if (record.hash !== hashRecord(record)) {
      problems.push(
        gap === 0 && record.previous !== hash && follows !== undefined
          ? `record ${record.seq}: out of order, it was written after what is now record ${follows}`
          : `record ${record.seq}: changed, its hash is not that of its content`,
      )
    } else if (gap === 0 && record.previous !== hash) {
      problems.push(`record ${record.seq}: does not follow record ${seq}: one was changed, dropped or reordered`)
    } else if (!isSigned(record.hash, record.signature, key)) {
      problems.push(`record ${record.seq}: its signature is not this gateway’s`)
    }
    seq = record.seq
    hash = record.hash
  }
  return { problems, position: { seq, hash } }
}
