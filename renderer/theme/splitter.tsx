import type { KeyboardEvent, PointerEvent, RefObject } from 'react'

/** Between two parts, one above the other; `share` of the height is the upper one's. Moved by dragging or by arrow keys. */
export function Splitter({
  label,
  share,
  onChange,
  frame,
}: {
  label: string
  share: number
  onChange(share: number): void
  frame: RefObject<HTMLElement | null>
}) {
  const change = (next: number) => onChange(Math.min(0.9, Math.max(0.1, next)))
  const drag = (event: PointerEvent<HTMLElement>) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId) || frame.current === null) return
    const box = frame.current.getBoundingClientRect()
    change((event.clientY - box.top) / box.height)
  }
  const press = (event: KeyboardEvent) => {
    if (event.key === 'ArrowUp') change(share - 0.05)
    if (event.key === 'ArrowDown') change(share + 0.05)
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: an hr can not be moved
    <div
      className="splitter"
      role="separator"
      aria-orientation="horizontal"
      aria-label={label}
      aria-valuenow={Math.round(share * 100)}
      aria-valuemin={10}
      aria-valuemax={90}
      tabIndex={0}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={drag}
      onKeyDown={press}
    />
  )
}
