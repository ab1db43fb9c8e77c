import { useEffect, useRef, useState } from 'react'
import { Icon } from '../decisions/icon.tsx'
import { IconButton } from '../theme/controls.tsx'
import type { TerminalScreen } from './screen.ts'

/** Looks for text in what a terminal has shown. Enter goes on, Shift Enter back, Escape to the prompt. */
export function Find({ screen, onClose }: { screen: TerminalScreen; onClose(): void }) {
  const [text, setText] = useState('')
  const [found, setFound] = useState({ at: 0, count: 0 })
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => field.current?.focus(), [])
  useEffect(() => screen.onFound(setFound), [screen])
  useEffect(() => () => screen.find('', 1), [screen])
  const look = (step: 1 | -1) => screen.find(text, step)
  return (
    <search className="tfind">
      <span className="input input--quiet">
        <Icon name="search" size={14} />
        <input
          ref={field}
          aria-label="Find in the terminal"
          placeholder="Find"
          spellCheck={false}
          value={text}
          onChange={(event) => {
            setText(event.target.value)
            screen.find(event.target.value, -1)
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter') look(event.shiftKey ? 1 : -1)
            if (event.key === 'Escape') onClose()
          }}
        />
        <span className="xs t3 num" role="status">
          {text !== '' && (found.count === 0 ? 'Not found' : `${found.at} of ${found.count}`)}
        </span>
      </span>
      <IconButton icon="chev-up" label="Match above" onClick={() => look(-1)} />
      <IconButton icon="chev-down" label="Match below" onClick={() => look(1)} />
      <IconButton icon="x" label="Close the search" onClick={onClose} />
    </search>
  )
}
