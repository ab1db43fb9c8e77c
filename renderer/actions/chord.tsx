import { Fragment, type ReactNode } from 'react'
import { keyParts } from '../decisions/keys.ts'
import { usePlatform } from '../rpc/context.tsx'

/** Keys, each in its own cap. */
export function Chord({ keys }: { keys: string | undefined }): ReactNode {
  const { os } = usePlatform()
  if (keys === undefined) return <span className="t3 sm">none</span>
  return (
    <span className="row chord">
      {keyParts(keys, os).map((part) => (
        <Fragment key={part}>
          <kbd className="kbd">{part}</kbd>{' '}
        </Fragment>
      ))}
    </span>
  )
}
