import { hash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto'

/**
 * Cancel keys that clients hold. A client never learns the target's own key: a CancelRequest names a session here,
 * and the session cancels at its target, or gives up a request that waits for approval.
 */
export interface CancelRegistry {
  /** Gives a session its key, `length` bytes of it secret. `release` forgets it. */
  register(length: number, cancel: () => void): { processId: number; secret: Uint8Array; release(): void }
  /** `digest`: see `cancelDigest`. True when a session here holds that key. */
  cancel(processId: number, digest: Uint8Array): boolean
}

/** SHA-256 of a cancel key's secret. */
export function cancelDigest(secret: Uint8Array): Buffer {
  return hash('sha256', secret, 'buffer')
}

export function createCancelRegistry(): CancelRegistry {
  const sessions = new Map<number, { digest: Buffer; cancel: () => void }>()
  return {
    register(length, cancel) {
      let processId = randomInt(1, 0x7fffffff)
      while (sessions.has(processId)) processId = randomInt(1, 0x7fffffff)
      const secret = randomBytes(length)
      sessions.set(processId, { digest: cancelDigest(secret), cancel })
      return { processId, secret, release: () => void sessions.delete(processId) }
    },
    cancel(processId, digest) {
      const session = sessions.get(processId)
      if (session === undefined || digest.length !== session.digest.length) return false
      if (!timingSafeEqual(digest, session.digest)) return false
      session.cancel()
      return true
    },
  }
}
