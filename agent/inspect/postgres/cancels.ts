import { randomBytes, randomInt, timingSafeEqual } from 'node:crypto'

/**
 * Cancel keys that clients hold. A client never learns the target's own key: a CancelRequest names a session here,
 * and the session cancels at its target, or gives up a request that waits for approval.
 */
export interface CancelRegistry {
  /** Gives a session its key, `length` bytes of it secret. `release` forgets it. */
  register(length: number, cancel: () => void): { processId: number; secret: Uint8Array; release(): void }
  /** True when a session here held that key. */
  cancel(processId: number, secret: Uint8Array): boolean
}

export function createCancelRegistry(): CancelRegistry {
  const sessions = new Map<number, { secret: Uint8Array; cancel: () => void }>()
  return {
    register(length, cancel) {
      let processId = randomInt(1, 0x7fffffff)
      while (sessions.has(processId)) processId = randomInt(1, 0x7fffffff)
      const secret = randomBytes(length)
      sessions.set(processId, { secret, cancel })
      return { processId, secret, release: () => void sessions.delete(processId) }
    },
    cancel(processId, secret) {
      const session = sessions.get(processId)
      if (session === undefined || secret.length !== session.secret.length) return false
      if (!timingSafeEqual(secret, session.secret)) return false
      session.cancel()
      return true
    },
  }
}
