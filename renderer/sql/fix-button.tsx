import { useKeys } from '../actions/use-actions.ts'
import { Button } from '../theme/controls.tsx'
import type { Fix } from './fixes.ts'

/** What would help a statement, in the words of what it does to the text. */
export function FixButton({ fix: { label, code, after }, onClick }: { fix: Fix; onClick(): void }) {
  return (
    <Button size="sm" keys={useKeys('decision.resolve')} onClick={onClick}>
      <span>
        {label} {code !== undefined && <code className="mono">{code}</code>} {after}
      </span>
    </Button>
  )
}
