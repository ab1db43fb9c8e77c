import { IconButton } from '../theme/controls.tsx'
import type { ResultTab } from './run-state.ts'
import type { SqlRuntime } from './runtime.ts'

/** Keeps a result when something else is run. `what` it is called: result, plan. */
export function PinButton({ result, runtime, what }: { result: ResultTab; runtime: SqlRuntime; what: string }) {
  return (
    <IconButton
      icon="pin"
      label={result.pinned ? 'Pinned: it stays when something else is run' : `Pin this ${what}`}
      active={result.pinned === true}
      onClick={() => runtime.pin(result.key, !result.pinned)}
    />
  )
}
