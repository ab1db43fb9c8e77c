import { createContext, type ReactNode, useContext, useMemo, useState } from 'react'

type Announce = (text: string, urgency?: 'polite' | 'assertive') => void

const Context = createContext<Announce>(() => undefined)

/** The page's two live regions: new decisions are said politely, the loss of the gateway at once. */
export function Announcer({ children }: { children: ReactNode }) {
  const [polite, setPolite] = useState('')
  const [assertive, setAssertive] = useState('')
  const announce = useMemo<Announce>(
    () =>
      (text, urgency = 'polite') =>
        urgency === 'polite' ? setPolite(text) : setAssertive(text),
    [],
  )
  return (
    <Context value={announce}>
      {children}
      <div className="visually-hidden" aria-live="polite" data-testid="announcements">
        {polite}
      </div>
      <div className="visually-hidden" aria-live="assertive">
        {assertive}
      </div>
    </Context>
  )
}

export function useAnnounce(): Announce {
  return useContext(Context)
}
