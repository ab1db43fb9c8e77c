/** The parts of the window, in reading order; F6 goes from one to the next, as in browsers and editors. */
const regions = '.title, .act, .side, .main:not([hidden]), .sqltab__res, .status, .toast-root:not(:empty)'
const focusable =
  'button, [href], input, select, textarea, [tabindex]:not([tabindex="-1"]), [role="treeitem"][tabindex="0"]'

/** Moves the focus to the next part (1) or the one before (-1). A part in which nothing takes it is passed over. */
export function moveToRegion(step: 1 | -1): void {
  const parts = [...document.querySelectorAll<HTMLElement>(regions)]
  // The innermost: results are in the main part.
  const at = parts.findLastIndex((part) => part.contains(document.activeElement))
  const start = at === -1 ? (step === 1 ? -1 : 0) : at
  for (let i = 1; i <= parts.length; i += 1) {
    const part = parts[(start + i * step + parts.length * 2) % parts.length]
    if (part !== undefined && focusIn(part)) return
  }
}

function focusIn(part: HTMLElement): boolean {
  for (const element of part.querySelectorAll<HTMLElement>(focusable)) {
    // What is gone to by arrow keys is entered where they are.
    if (element.tabIndex < 0 || !element.checkVisibility({ visibilityProperty: true })) continue
    element.focus()
    if (document.activeElement === element) return true
  }
  return false
}
