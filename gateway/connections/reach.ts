import type { Target } from '../../shared/link.ts'
import type { GatewayConnection, LocalAgent } from '../services.ts'

/** Whether targets answer, looked up at most every 3 s however many people ask. */
export interface Reach {
  check(connection: GatewayConnection): Promise<boolean>
}

const freshMs = 3_000
const probeMs = 1500

export function createReach(agent: { probe: LocalAgent['probe'] }, now: () => number = Date.now): Reach {
  const known = new Map<string, { at: number; answer: Promise<boolean> }>()
  return {
    check({ ref, target }: { ref: { name: string }; target: Target }) {
      const last = known.get(ref.name)
      if (last !== undefined && now() - last.at < freshMs) return last.answer
      const answer = agent.probe(target, probeMs).catch(() => false)
      known.set(ref.name, { at: now(), answer })
      return answer
    },
  }
}
