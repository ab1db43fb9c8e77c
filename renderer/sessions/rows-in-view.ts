import { useVirtualizer } from '@tanstack/react-virtual'
import { type RefObject, useEffect } from 'react'

export interface RowsInView {
  /** Which are drawn, in order. */
  indexes: readonly number[]
  /** Pixels that the rows before and after them take. */
  before: number
  after: number
}

/** Beyond what is seen, so that a wheel finds them there. */
const beyond = 12

/**
 * Of many rows of one height in pixels, those in view: a recording may have hundreds of thousands. `header` is the height of what stays
 * above them. The row `at` is brought into view whenever that changes; -1: none.
 */
export function useRowsInView(
  scroller: RefObject<HTMLElement | null>,
  { count, height, header = 0, at }: { count: number; height: number; header?: number; at: number },
): RowsInView {
  const rows = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: beyond,
    paddingStart: header,
    scrollPaddingStart: header,
  })
  useEffect(() => {
    if (at >= 0) rows.scrollToIndex(at, { align: 'auto' })
  }, [rows, at])
  const items = rows.getVirtualItems()
  const [first, last] = [items[0], items.at(-1)]
  return {
    indexes: items.map(({ index }) => index),
    before: first === undefined ? 0 : first.start - header,
    after: last === undefined ? 0 : rows.getTotalSize() - last.end,
  }
}
