import './settings.css'
import { useEffect, useRef, useState } from 'react'
import { useActions } from '../actions/use-actions.ts'
import { Icon } from '../decisions/icon.tsx'
import { usePlace } from '../frame/desk.tsx'
import { Empty } from '../theme/controls.tsx'
import { findSections, type Section, sections } from './sections.tsx'

/** All that can be set, and how things stand. The search goes over names and what they hold. */
export default function SettingsPage() {
  const { section } = usePlace()
  const page = useRef<HTMLElement>(null)
  const field = useRef<HTMLInputElement>(null)
  const [query, setQuery] = useState('')
  const [current, setCurrent] = useState(section ?? sections[0]?.id)
  const found = findSections(query)
  useActions({ 'view.filter': () => field.current?.focus() })
  const go = (id: string) => {
    setCurrent(id)
    const target = page.current?.querySelector<HTMLElement>(`#${id}`)
    target?.scrollIntoView({ block: 'start' })
    target?.focus({ preventScroll: true })
  }
  useEffect(() => {
    if (section === undefined) return
    setCurrent(section)
    const target = page.current?.querySelector<HTMLElement>(`#${section}`)
    target?.scrollIntoView({ block: 'start' })
    target?.focus({ preventScroll: true })
  }, [section])
  // What was chosen stays marked while any of it is in view; then it is what begins the view.
  const follow = () => {
    const view = page.current?.getBoundingClientRect()
    const inView = [...(page.current?.querySelectorAll('section') ?? [])].filter((part) => {
      const box = part.getBoundingClientRect()
      return view !== undefined && box.bottom > view.top + 40 && box.top < view.bottom - 40
    })
    const [first] = inView
    if (first !== undefined && !inView.some((part) => part.id === current)) setCurrent(first.id)
  }
  const column = (side: Section['side']) => found.filter((s) => s.side === side)
  return (
    <>
      <aside className="side" aria-label="Settings">
        <div className="side__hd">
          <h2 className="h-label">Settings</h2>
        </div>
        <div className="side__search">
          <label className="input input--quiet">
            <Icon name="search" size={14} />
            <input
              ref={field}
              type="search"
              aria-label="Search settings"
              placeholder="Search settings"
              value={query}
              onChange={(event) => setQuery(event.target.value)}
              onKeyDown={(event) => {
                if (event.key === 'Escape') setQuery('')
                const [first] = found
                if (event.key === 'Enter' && first !== undefined) go(first.id)
              }}
            />
          </label>
        </div>
        <nav className="side__bd" aria-label="Sections">
          {sections.map((s) => (
            <button
              type="button"
              className={[
                'tree-row stg__n',
                !found.includes(s) && 'is-out',
                found.includes(s) && s.id === current && 'is-on',
              ]
                .filter(Boolean)
                .join(' ')}
              key={s.id}
              aria-current={s.id === current}
              onClick={() => {
                if (!found.includes(s)) setQuery('')
                requestAnimationFrame(() => go(s.id))
              }}
            >
              <Icon name={s.icon} />
              <span>{s.name}</span>
            </button>
          ))}
        </nav>
        <p className="sm t3 stg__f">
          What <Icon name="lock" size={12} /> marks is decided by your gateway.
        </p>
      </aside>
      <main className="main stg scroll" ref={page} aria-label="Settings" onScroll={follow}>
        {found.length === 0 ? (
          <Empty icon="search" title="No setting is called that" text="Names and what they hold are searched." />
        ) : (
          (['left', 'right'] as const).map((side) => {
            const list = column(side)
            if (list.length === 0) return null
            return (
              <div className={side === 'left' && column('right').length > 0 ? 'stg__l' : 'stg__r'} key={side}>
                {list.map(({ id, name, Content }) => (
                  <section id={id} key={id} tabIndex={-1} aria-labelledby={`${id}-title`}>
                    <h2 id={`${id}-title`}>{name}</h2>
                    <Content />
                  </section>
                ))}
              </div>
            )
          })
        )}
      </main>
    </>
  )
}
