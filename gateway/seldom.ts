import type { Log } from './services.ts'

const everyMs = 10_000

/**
 * For what strangers bring about, as often as they like: the first is logged, then one in ten seconds, with how many were not. A disk that
 * they fill would end everybody's work, for nothing runs that can't be recorded.
 */
export function seldom(log: Pick<Log, 'info'>, now: () => number = () => performance.now()): Pick<Log, 'info'> {
  let last = Number.NEGATIVE_INFINITY
  let left = 0
  return {
    info(fields, message) {
      if (now() - last < everyMs) {
        left++
        return
      }
      last = now()
      log.info(left === 0 ? fields : { ...fields, notLogged: left }, message)
      left = 0
    },
  }
}
