/**
 * Gives the focus to where the work of a tab is done, once it is in sight: what is typed after a tab was chosen is meant for its editor or
 * terminal. A tab without one keeps the focus where it is.
 */
export function focusWork(id: string): void {
  requestAnimationFrame(() => {
    const panel = document.querySelector(`section.panel[data-tab="${CSS.escape(id)}"]`)
    panel?.querySelector<HTMLElement>('[data-work] :is(textarea, [role="textbox"])')?.focus()
  })
}
