/**
 * A mark that repeats what the name of its control says in words: `PROD`, a count, a countdown. It is drawn and not text, so that the
 * control is called by its label alone (WCAG 2.5.3), by voice and by screen readers.
 */
export function Drawn({ text, className = '' }: { text: string; className?: string }) {
  return <span className={`drawn ${className}`} data-text={text} aria-hidden="true" />
}
