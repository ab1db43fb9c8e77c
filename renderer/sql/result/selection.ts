/** A cell of a result as it is shown: row and column from 0, the column by where it stands now. */
export interface Place {
  row: number
  column: number
}

/** A rectangle of cells: where it began, and where it goes to. */
export interface Selection {
  anchor: Place
  head: Place
}

export interface Box {
  top: number
  bottom: number
  left: number
  right: number
}

/** First and last row and column, all of them within. */
export function boxOf({ anchor, head }: Selection): Box {
  return {
    top: Math.min(anchor.row, head.row),
    bottom: Math.max(anchor.row, head.row),
    left: Math.min(anchor.column, head.column),
    right: Math.max(anchor.column, head.column),
  }
}

export function holds(box: Box | undefined, { row, column }: Place): boolean {
  return box !== undefined && row >= box.top && row <= box.bottom && column >= box.left && column <= box.right
}

export function cellCount({ top, bottom, left, right }: Box): number {
  return (bottom - top + 1) * (right - left + 1)
}

/** The head moved by a key, within `rows` × `columns`; undefined for one that moves nothing. `far`: with Ctrl or ⌘, to the edge. */
export function extended(
  { anchor, head }: Selection,
  key: string,
  size: { rows: number; columns: number },
  far = false,
): Selection | undefined {
  const most = Number.MAX_SAFE_INTEGER
  const one = far ? most : 1
  const steps: Readonly<Record<string, readonly [number, number]>> = {
    ArrowUp: [-one, 0],
    ArrowDown: [one, 0],
    ArrowLeft: [0, -one],
    ArrowRight: [0, one],
    PageUp: [-20, 0],
    PageDown: [20, 0],
    Home: [far ? -most : 0, -most],
    End: [far ? most : 0, most],
  }
  const step = steps[key]
  if (step === undefined) return undefined
  const row = clamp(head.row + step[0], size.rows)
  return { anchor, head: { row, column: clamp(head.column + step[1], size.columns) } }
}

function clamp(value: number, count: number): number {
  return Math.max(0, Math.min(count - 1, value))
}
