import { useState } from 'react'
import { sessionLink } from '../../shared/session-link.ts'
import { Button } from '../theme/controls.tsx'

/** Copies a link that opens this recording at a moment of it, for whoever may see it. `at`: milliseconds, `time`: in words. */
export function CopyLink({ id, at, time }: { id: string; at: number; time: string }) {
  const [said, setSaid] = useState<{ at: number; words: string } | undefined>(undefined)
  const copy = () =>
    navigator.clipboard.writeText(sessionLink(id, at / 1000)).then(
      () => setSaid({ at, words: 'Copied' }),
      () => setSaid({ at, words: 'Not copied' }),
    )
  return (
    <Button
      size="sm"
      kind="ghost"
      icon="link"
      title={`A link to ${time} of this recording`}
      onClick={() => void copy()}
    >
      <span role="status">{said?.at === at ? said.words : `Copy link at ${time}`}</span>
    </Button>
  )
}
