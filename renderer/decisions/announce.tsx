import { createContext, type ReactNode, useContext, useMemo, useState } from 'react'

type Announce = (text: string, urgency?: 'polite' | 'assertive') => void

const Context = createContext<Announce>(() => undefined)

interface Said {
  id: number
  text: string
}

/** So many stay in the region: those that come together are all heard, and none is read again when the next one comes. */
const mostKept = 4

/**
 * The page's two live regions: new decisions are said politely, the loss of the gateway at once. Each text is an element of its own: what
 * is said a second time is heard a second time.
 */
export function Announcer({ children }: { children: ReactNode }) {
  const [polite, setPolite] = useState<readonly Said[]>([])
  const [assertive, setAssertive] = useState<readonly Said[]>([])
  const announce = useMemo<Announce>(() => {
    let count = 0
    return (text, urgency = 'polite') => {
      count += 1
      const said = { id: count, text }
      const set = urgency === 'polite' ? setPolite : setAssertive
      set((before) => [...before, said].slice(-mostKept))
    }
  }, [])
  return (
    <Context value={announce}>
      {children}
      <div className="visually-hidden" aria-live="polite" data-testid="announcements">
        {polite.map(({ id, text }) => (
          <p key={id}>{text}</p>
        ))}
      </div>
      <div className="visually-hidden" aria-live="assertive">
        {assertive.map(({ id, text }) => (
          <p key={id}>{text}</p>
        ))}
      </div>
    </Context>
  )
}

export function useAnnounce(): Announce {
  return useContext(Context)
}
