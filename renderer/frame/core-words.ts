import type { CoreState } from '../rpc/link.ts'

/** What is said while the page has no client core: what happened, and what becomes of the work. */
export function coreWords(core: CoreState): { what: string; next: string } {
  switch (core) {
    case 'closed':
      return {
        what: 'Sallyport was closed in its terminal.',
        next: 'Its sessions have ended, and what was not committed is rolled back. Your tabs and drafts are kept: start it again and open its link.',
      }
    case 'replaced':
      return {
        what: 'This page belongs to a Sallyport that was closed.',
        next: 'Another was started since. Its terminal shows the link that opens it; your tabs and drafts are there.',
      }
    case 'connecting':
    case 'up':
    case 'down':
      return {
        what: 'Sallyport on this computer is not answering.',
        next: 'Nothing is sent, and your tabs and drafts are kept. If it was closed, start it again and open its link.',
      }
    default:
      return core satisfies never
  }
}
