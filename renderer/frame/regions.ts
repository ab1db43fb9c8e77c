/** The parts of the window, in reading order; F6 goes from one to the next, as in browsers and editors. */
const regions = '.title, .act, .side, .main:not([hidden]), .status, .toast-root:not(:empty)'
const focusable =
  'button, [href], input, select, textarea, [tabindex]:not([tabindex="-1"]), [role="treeitem"][tabindex="0"]'

/** Moves the focus to the next part (1) or the one before (-1). */
export function moveToRegion(step: 1 | -1): void {
  const parts = [...document.querySelectorAll<HTMLElement>(regions)].filter((part) => firstIn(part) !== undefined)
  const at = parts.findIndex((part) => part.contains(document.activeElement))
  const next = at === -1 ? parts[0] : parts[(at + step + parts.length) % parts.length]
  if (next !== undefined) firstIn(next)?.focus()
}

function firstIn(part: HTMLElement): HTMLElement | undefined {
  const all = [...part.querySelectorAll<HTMLElement>(focusable)]
  return all.find(
    (element) => element.checkVisibility({ visibilityProperty: true }) && !element.hasAttribute('disabled'),
  )
}
