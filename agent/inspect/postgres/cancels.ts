import { hash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto'

/**
 * Cancel keys that clients hold. A client never learns the secret of the target's own key: a CancelRequest names a session
 * here, and the session cancels at its target, or gives up a request that waits for approval.
 */
export interface CancelRegistry {
  /**
   * Gives a session its key, `length` bytes of it secret. `release` forgets it. The process is the target's own, by which
   * clients know their locks and their notifications; sessions at several targets may have the same one. A target that
   * names none gets one that means nothing.
   */
  register(
    processId: number | undefined,
    length: number,
    cancel: () => void,
  ): { processId: number; secret: Uint8Array; release(): void }
  /** `digest`: see `cancelDigest`. True when a session here holds that key. */
  cancel(processId: number, digest: Uint8Array): boolean
}

/** SHA-256 of a cancel key's secret. */
export function cancelDigest(secret: Uint8Array): Buffer {
  return hash('sha256', secret, 'buffer')
}

interface Holder {
  digest: Buffer
  cancel: () => void
}

export function createCancelRegistry(): CancelRegistry {
  const sessions = new Map<number, Set<Holder>>()
  const find = (processId: number, digest: Uint8Array): Holder | undefined => {
    for (const one of sessions.get(processId) ?? []) {
      if (digest.length === one.digest.length && timingSafeEqual(digest, one.digest)) return one
    }
    return undefined
  }
  return {
    register(process, length, cancel) {
      const processId = process ?? randomInt(1, 0x7fffffff)
      let secret = randomBytes(length)
      while (find(processId, cancelDigest(secret)) !== undefined) secret = randomBytes(length)
      const holder = { digest: cancelDigest(secret), cancel }
      const holders = sessions.get(processId) ?? new Set()
      sessions.set(processId, holders.add(holder))
      return {
        processId,
        secret,
        release() {
          holders.delete(holder)
          if (holders.size === 0 && sessions.get(processId) === holders) sessions.delete(processId)
        },
      }
    },
    cancel(processId, digest) {
      const session = find(processId, digest)
      session?.cancel()
      return session !== undefined
    },
  }
}
