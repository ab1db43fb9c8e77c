/** What Chromium offers, and people know. */
const steps = [0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2] as const

/** The part of WebContents that is zoomed. */
export interface Zoomable {
  setZoomFactor(factor: number): void
  on(event: 'did-finish-load', listener: () => void): unknown
}

export interface Zoom {
  apply(factor: number): void
  /** The factor that a step leads to; 0 leads to 1. */
  next(step: -1 | 0 | 1): number
  /** A new window: Chromium forgets the zoom with each load. */
  keep(contents: Zoomable): void
}

/** One zoom for every window. */
export function createZoom(windows: () => readonly Pick<Zoomable, 'setZoomFactor'>[]): Zoom {
  let factor = 1
  return {
    apply(wanted) {
      factor = wanted
      for (const contents of windows()) contents.setZoomFactor(factor)
    },
    next(step) {
      if (step === 0) return 1
      const found = step > 0 ? steps.find((s) => s > factor + 0.001) : steps.findLast((s) => s < factor - 0.001)
      return found ?? factor
    },
    keep: (contents) => contents.on('did-finish-load', () => contents.setZoomFactor(factor)),
  }
}
