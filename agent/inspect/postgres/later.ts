import type { Admission } from './asked.ts'
import { Cancelled } from './cancelled.ts'
import type { Gate } from './gate.ts'
import type { Line } from './line.ts'

/** Undefined: it is done. Otherwise what comes behind it waits. */
export type Later = Promise<void> | undefined

/** Goes on with what was admitted or refused, at once where nothing has to be waited for. */
export function admitted(admission: Admission | Promise<Admission>, act: (admission: Admission) => void): Later {
  if (!(admission instanceof Promise)) {
    act(admission)
    return undefined
  }
  return admission.then(act)
}

/** In a failed transaction not all can be settled, nor has to be: it is not asked twice. */
export function settled(line: Line, gate: Gate, act: () => Later): Later {
  return gate.unsettled ? gate.settle().then(() => again(line, act)) : act()
}

/** After a wait the target may have begun to skip, and the client may have cancelled what waited. */
export function again(line: Line, act: () => Later): Later {
  if (line.skipping) return undefined
  if (line.cancelled) throw new Cancelled()
  return act()
}
