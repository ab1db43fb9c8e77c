import type { Page } from 'playwright-core'

/** Runs in the page: controls that a person can't get at, because something cuts them off or lies over them. */
const script = `(() => {
  const skipped = '.monaco-editor, .xterm, .ag-root, .toast-root, [aria-hidden="true"]'
  const over = '.toast-root, .is-over, .peek, .tfind, .params'
  const dialog = document.querySelector('[aria-modal="true"]')
  const scrolls = (overflow) => overflow === 'auto' || overflow === 'scroll'
  const found = new Set()
  if (document.documentElement.scrollWidth > innerWidth + 1) found.add('the page is wider than the window')
  if (document.documentElement.scrollHeight > innerHeight + 1) found.add('the page is higher than the window')
  for (const control of document.querySelectorAll('button, a[href], input, select, textarea, [role="treeitem"]')) {
    if (control.closest(skipped) || (dialog && !dialog.contains(control))) continue
    if (!control.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue
    let box = control.getBoundingClientRect()
    if (box.width === 0) continue
    const name = '“' + (control.getAttribute('aria-label') ?? control.textContent.trim()).slice(0, 40) + '”'
    let inView = true
    for (let above = control.parentElement; above !== null; above = above.parentElement) {
      const style = getComputedStyle(above)
      const clip = above.getBoundingClientRect()
      if ((scrolls(style.overflowX) || scrolls(style.overflowY)) && clip.width > 40 && clip.height > 20) {
        // It can be scrolled into view: from there on the place of what scrolls counts.
        if (box.top < clip.top || box.bottom > clip.bottom || box.left < clip.left || box.right > clip.right) inView = false
        box = clip
        continue
      }
      if (style.overflowX === 'visible') continue
      const past = Math.max(box.right - clip.right, clip.left - box.left)
      if (past > 2) {
        found.add(name + ' is cut off by ' + Math.round(past) + ' px in .' + above.className)
        inView = false
        break
      }
    }
    if (box.left < -2 || box.right > innerWidth + 2 || box.bottom < 0 || box.top > innerHeight) found.add(name + ' lies outside of the window')
    else if (inView) {
      const own = control.getBoundingClientRect()
      const at = document.elementFromPoint(own.x + own.width / 2, own.y + own.height / 2)
      const label = control.closest('label')
      const free = at === null || control.contains(at) || at.contains(control) || at.closest(over) !== null
      if (!free && !label?.contains(at)) found.add(name + ' lies under .' + at.className)
    }
  }
  return [...found]
})()`

/** What can't be reached at this size, in words. */
export async function unreachable(page: Page, size: { width: number; height: number }): Promise<string[]> {
  await page.setViewportSize(size)
  // Editor, grid and dock take their new size in frames that follow.
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done, 300)))')
  const found = await page.evaluate<string[]>(script)
  return found.map((line) => `${size.width}×${size.height}: ${line}`)
}
