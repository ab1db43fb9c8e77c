import { type KeyboardEvent, type PointerEvent, type RefObject, useState } from 'react'

/** Share of the height that the upper part of two has, changed by dragging or by arrow keys. */
export function useSplit(start: number) {
  const [share, setShare] = useState(start)
  return { share, set: (next: number) => setShare(Math.min(0.9, Math.max(0.1, next))) }
}

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
  const drag = (event: PointerEvent<HTMLElement>) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId) || frame.current === null) return
    const box = frame.current.getBoundingClientRect()
    onChange((event.clientY - box.top) / box.height)
  }
  const press = (event: KeyboardEvent) => {
    if (event.key === 'ArrowUp') onChange(share - 0.05)
    if (event.key === 'ArrowDown') onChange(share + 0.05)
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
